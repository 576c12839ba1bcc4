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
 *	mode            who may run                     which sites
 *	RELINK_LIVE     any threads                     those that one store can change; others stay on their trampoline
 *	RELINK_STARTUP  this thread alone, or an error  all
 *
 * Alone: no other thread, and no process that shares the memory, such as a child of vfork that has not run exec yet.
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
#define RELINK_COMMIT { 0, 0, 0, 0 }

enum relink_mode {
	RELINK_LIVE = 0,
	RELINK_STARTUP = 1,
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
};
#define RELINK_LEVELS 7

/* "default", "choice function", "file", ... Never NULL. */
RELINK_API const char *relink_level_name(int level);

RELINK_API void relink_wish_key(struct relink_commit *c, struct relink_key *key, int state);
RELINK_API void relink_wish_option(struct relink_commit *c, struct relink_option *option, int state);
RELINK_API void relink_wish_call(struct relink_commit *c, struct relink_call *call, void (*fn)(void));
RELINK_API void relink_wish_immediate(struct relink_commit *c, struct relink_immediate *immediate, uint64_t value);
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

RELINK_END_DECLS

#endif
