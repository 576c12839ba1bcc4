/* SPDX-License-Identifier: MIT */
/*
 * commit.h - transactions: several decisions, one moment, all or nothing.
 *
 *	struct relink_commit c = RELINK_COMMIT;
 *	relink_set_key(&c, trace, true);
 *	relink_set_option(&c, idle, poll);
 *	relink_set_call(&c, crc32c, crc32c_table);
 *	relink_set(&c, "hash", "generic");                // by name, as on the command line
 *	if (relink_commit(&c, RELINK_LIVE, &err) < 0)
 *	        log("%s", relink_error_text(&err));       // nothing has changed
 *
 * Wishes are collected in the order given (a later one for the same choice wins) and cost nothing until
 * relink_commit(), which validates everything, prepares everything, rewrites all sites and either succeeds as a
 * whole or restores every byte. It empties the transaction in both cases; relink_commit_discard() empties it unused.
 * A struct relink_commit belongs to one thread at a time.
 *
 *	mode            who may run                     what changes
 *	RELINK_LIVE     any threads                     keys, calls, tables, numbers
 *	RELINK_STARTUP  this thread alone, or an error  final choices, too, and what is several instructions
 *	RELINK_STOP     any threads; they stand still   the same; all sites at once
 *
 * Calls that the next live commit could not change stay on their trampolines in every mode: those that are not final, unless
 * RELINK_WRITABLE_CODE or RELINK_TRAPS is declared.
 *
 * Alone: no other thread, and no process that shares the memory, such as a child of vfork that has not run exec yet.
 *
 * RELINK_STOP parks all other threads, wherever they are: in computations, system calls, signal handlers. Each waits in
 * a handler of one real-time signal, which the first stop takes from those that the program has left at their default,
 * and keeps. None is inside of code that changes: whoever has its pc or a return address there is let on until it is
 * outside. All sites of the commit then change as one; what is not code (relink_key_enabled, relink_option_state)
 * follows when all run again. Who can't be parked within relink_stop_timeout() makes the commit fail with
 * RELINK_E_STOP, which names a thread and the reason, and nothing has changed:
 *   - it blocks the signal (sigfillset and pthread_sigmask, or sigwait on everything);
 *   - a debugger has stopped it; or it is in a system call that can't be interrupted: vfork, until the child runs exec;
 *   - it stays inside of code that changes: it sleeps in a function that an alternative calls;
 *   - a process that is no thread shares the memory (vfork, clone with CLONE_VM).
 * For those who are parked in a system call the signal is one more with SA_RESTART. That restarts read, write, accept,
 * wait, futexes without a timeout and all of pthread; these return early or fail with EINTR, as signal(7) says:
 *   - poll, ppoll, select, pselect, epoll_wait, epoll_pwait, io_getevents;
 *   - nanosleep, clock_nanosleep, usleep, sleep; pause, sigsuspend, sigwaitinfo, sigtimedwait;
 *   - sem_timedwait and futexes with a timeout; msgrcv, msgsnd, semop, semtimedop;
 *   - accept, connect, recv, send and their kin on sockets with SO_RCVTIMEO or SO_SNDTIMEO.
 * Stacks, alternate ones too, need room for one more signal frame. In a process with one thread it is start-up mode.
 *
 * Precedence, highest first: force, program, command line, environment, file, choice function, default.
 * Two commits of two threads are done one after the other. When relink_commit returns, no thread enters the old binding
 * any more; a thread that is already past the site finishes the old code.
 * Not from a signal handler (RELINK_E_CONTEXT where it interrupted a commit), nor from a vfork child.
 */
#ifndef RELINK_COMMIT_H
#define RELINK_COMMIT_H

#include <stddef.h>
#include <relink/call.h>
#include <relink/error.h>
#include <relink/immediate.h>
#include <relink/key.h>
#include <relink/option.h>

RELINK_BEGIN_DECLS

struct relink_commit {
	struct relink_wish *wishes; /* owned; freed by relink_commit and relink_commit_discard */
	size_t count, capacity;
	int error; /* first failure while collecting; reported by relink_commit */
};
#define RELINK_COMMIT { RELINK_NULL_, 0, 0, 0 }

enum relink_mode {
	RELINK_LIVE = 0,
	RELINK_STARTUP = 1,
	RELINK_STOP = 2,
};

#define relink_set_key(c, k, on) relink_wish_key((c), RELINK_KEY_PTR_(k), !!(on))
#define relink_set_option(c, name, st) relink_wish_option((c), &(name).option, RELINK_STATE(name, st))
#define relink_set_call(c, name, fn) relink_wish_call((c), &relink_call_##name, RELINK_FN_(name, fn))
#define relink_set_immediate(c, name, v) relink_wish_immediate((c), &(name), RELINK_IMMEDIATE_VALUE_(name, v))
/* By name; `name` may be module:name. The strings are copied. */
#define relink_set(c, name, state) relink_wish_named((c), (name), (state), RELINK_BY_PROGRAM)
/* Above the program: an operator's word, until relink_release. */
#define relink_force(c, name, state) relink_wish_named((c), (name), (state), RELINK_BY_FORCE)
#define relink_release(c, name) relink_wish_named((c), (name), NULL, RELINK_BY_FORCE)
/* Withdraws the program's own opinion. */
#define relink_unset(c, name) relink_wish_named((c), (name), NULL, RELINK_BY_PROGRAM)

enum relink_level {
	RELINK_BY_DEFAULT = 0,
	RELINK_BY_FUNCTION = 1, /* choice function, drive, or the best variant */
	RELINK_BY_FILE = 2,
	RELINK_BY_ENVIRONMENT = 3,
	RELINK_BY_COMMAND_LINE = 4,
	RELINK_BY_PROGRAM = 5,
	RELINK_BY_FORCE = 6,
	RELINK_BY_BAKED = 7, /* nobody asks at this level: `relink bake` has decided in the file, and nobody can change it */
};
#define RELINK_LEVELS 7

/* "default", "choice function", "file", ... Never NULL. */
RELINK_API const char *relink_level_name(int level);

RELINK_API void relink_wish_key(struct relink_commit *c, struct relink_key *key, int state);
RELINK_API void relink_wish_option(struct relink_commit *c, struct relink_option *option, int state);
RELINK_API void relink_wish_call(struct relink_commit *c, struct relink_call *call, void (*fn)(void));
RELINK_API void relink_wish_immediate(struct relink_commit *c, struct relink_immediate *immediate, uint64_t value);
/* `slot` is the address of an accelerated pointer: see pointer.h. */
RELINK_API void relink_wish_pointer(struct relink_commit *c, void *slot, void (*fn)(void));
RELINK_API void relink_wish_named(struct relink_commit *c, const char *name, const char *state, int level);

/* A function named as a structure is no mistake in C, and C++ has the same rule for the sake of C; -Wshadow of g++ differs. */
#if defined(__cplusplus) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
#endif
/* 0, RELINK_OVERRIDDEN, or a negative code and nothing has changed. */
RELINK_API int relink_commit(struct relink_commit *c, int mode, struct relink_error *err);
#if defined(__cplusplus) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif
RELINK_API void relink_commit_discard(struct relink_commit *c);

/*
 * How long RELINK_STOP tries to stop all threads, 1000 ms if nobody says otherwise. It holds them for a part of that
 * only: from 25 ms on in ever longer attempts, with everybody running in between. 0 is one attempt. For the whole
 * process. Any thread.
 */
RELINK_API void relink_stop_timeout(unsigned timeout_ms);

/*
 * Waits until no thread is in a function any more that a static call was bound to before and no call is bound to now:
 * then its module can be unloaded, its data freed. 0: it is proved, for all such functions up to the moment of the
 * call. RELINK_E_STOP: not within the time, and the text names a thread that is still inside (or can't be looked at,
 * see RELINK_STOP) and the function; or the program has declared RELINK_FOREIGN_STACKS. *err is cleared first.
 *
 * Looks at every thread as RELINK_STOP does, with the same side effects. Inside means: its pc, or a word on its stacks
 * that could be a return address, is in the function, in its cold parts or in functions of its module that it ends with
 * by a direct jump. Trampolines and PLT stubs count as what they lead to. A word that an earlier call has left there
 * counts too, so that a thread which sleeps on top of one may be reported although it has left. Not seen: functions
 * that the old one ends with by a jump through a pointer or into another module, or that it has started as threads;
 * blocks of static keys, which are no functions; pointers to the function that the program keeps. Who calls it from
 * inside of an old target waits for itself. Any thread; not from a signal handler, nor from a vfork child
 * (RELINK_E_CONTEXT).
 */
RELINK_API int relink_quiesce(unsigned timeout_ms, struct relink_error *err);

RELINK_END_DECLS

#endif
