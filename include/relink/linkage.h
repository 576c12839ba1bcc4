/* SPDX-License-Identifier: MIT */
/*
 * linkage.h - calls between modules, bound directly.
 *
 * A call of another library, or of one's own exported function, goes through a stub and an indirect jump whose target the
 * loader decided at start-up. relink_linkage() lets hot ones go straight there: `e8` to the function itself. Nothing has to
 * be rebuilt, no other part of relink has to be in use, and `relink run PROG` does it to any dynamic program.
 *
 *	struct relink_linkage_options o = RELINK_LINKAGE_OPTIONS;
 *	relink_linkage(&o, &err);                    // first thing in main, before there are threads
 *
 * What is bound. RELINK_LINKAGE_HOT, the default: at once the calls that earlier runs of this program found hot, from
 * ~/.cache/relink; then, while the process has one thread, each call that is made often. To see calls, slots of the global
 * offset table lead to a recorder until they have been seen enough. RELINK_LINKAGE_ALL: every call that is found by
 * decoding the code of all modules, whatever it takes in memory.
 *
 * When. With one thread anything; with more only by one store, where RELINK_WRITABLE_CODE is declared (commit.h). What is
 * found hot by then is bound in the next run. A module that arrives later is bound before its first constructor runs, if
 * it was linked with the compiler's start files, which `relink run` hooks; else at the next relink_linkage_refresh().
 *
 * What stays. A call whose target is more than 2 GiB away: a position-independent program is far from its libraries, unless
 * `relink run --place` put them near. One whose slot the loader has not filled yet (lazy binding), until it is. Code
 * that calls static calls of relink. The dynamic loader itself.
 *
 * What a program can notice: its text is changed (exclude a library that checks itself); hooks that overwrite slots later
 * are not seen by calls that are bound: relink_linkage_refresh() finds them and leads these calls through the slot again;
 * while it learns, slots that stubs jump through hold the address of a recorder, and calls take a few ns longer. Slots that
 * code reads, for the address of a function, keep it: their stubs lead to the recorder.
 * A sandbox (seccomp) ends it all before it comes, if it is entered by a call of prctl() or syscall(); not seen are an instruction in
 * assembly and a pointer that dlsym() gave: such a program is killed when relink next asks the kernel for something.
 */
#ifndef RELINK_LINKAGE_H
#define RELINK_LINKAGE_H

#include <stddef.h>
#include <stdint.h>
#include <relink/detail/base.h>
#include <relink/error.h>

RELINK_BEGIN_DECLS

enum relink_linkage_policy {
	RELINK_LINKAGE_HOT = 0,    /* cached and learned */
	RELINK_LINKAGE_ALL = 1,    /* every one, at once */
	RELINK_LINKAGE_LEARN = 2,  /* nothing from the cache */
	RELINK_LINKAGE_CACHED = 3, /* nothing learned */
};

#define RELINK_LINKAGE_NO_CACHE 1u /* the cache is neither read nor written */
#define RELINK_LINKAGE_VERIFY 2u   /* relink_each_linkage compares each bound call with its slot and counts what differs */
#define RELINK_LINKAGE_CONTROL 4u  /* for benchmarks: what is bound goes back at once, so that the same memory is written */

struct relink_linkage_options {
	uint32_t size;    /* sizeof(struct relink_linkage_options) */
	uint32_t flags;   /* RELINK_LINKAGE_NO_CACHE .. */
	int policy;       /* enum relink_linkage_policy */
	const char *only; /* modules whose calls are bound, separated by commas: libz.so.1, or libz; NULL: all */
	const char *not_; /* and those whose calls are not */
	uint64_t budget;  /* bytes of code that may become private memory of this process; whole pages */
};
#define RELINK_LINKAGE_OPTIONS { sizeof(struct relink_linkage_options), 0, RELINK_LINKAGE_HOT, RELINK_NULL_, RELINK_NULL_, 8u << 20 }

/*
 * Binds calls of all modules that are loaded. Once per process: a second call looks for modules that have come since, and its
 * options are for those; if its policy learns nothing, nothing is learned any more. What was led through stubs again stays so. The
 * strings are copied.
 *   RELINK_E_WRITE    code can't be written here: everything runs as before
 *   RELINK_E_CONTEXT  more rights than its user (AT_SECURE), a profiler or auditor (LD_AUDIT, LD_PROFILE) that has to see
 *                     calls; or called where no commit could be made, or in a process that has shut itself in (seccomp): so
 *                     also the two functions below
 * Any thread; not from a signal handler.
 */
RELINK_API int relink_linkage(const struct relink_linkage_options *options, struct relink_error *err);

/*
 * Leads the calls of a module (by the last component of its path, or its name up to ".so"; NULL: of all, and of those that
 * come before relink_linkage is called again) through their stubs again, and learns no more about them. `mode` as of
 * relink_commit: with threads running RELINK_STOP reaches all of them, RELINK_LIVE those that one store can change.
 *   RELINK_E_UNKNOWN  there is no such module
 *   RELINK_E_MODE     some stay bound: threads run, use RELINK_STOP
 */
RELINK_API int relink_linkage_revert(const char *module, int mode, struct relink_error *err);

/*
 * Looks for modules that have come and gone, and for slots that somebody has changed since: calls that are bound through
 * them are led through them again, as by relink_linkage_revert. Returns how many slots had changed, or a code.
 */
RELINK_API int relink_linkage_refresh(int mode, struct relink_error *err);

/* Where a call is, or why it is not bound. */
enum relink_linkage_state {
	RELINK_LINK_HOME,         /* through its stub: it was led there again, or waits to be bound, as one that is hot only in the long run */
	RELINK_LINK_BOUND,
	RELINK_LINK_OUT_OF_RANGE, /* more than 2 GiB away */
	RELINK_LINK_LAZY,         /* the loader has not bound the slot yet */
	RELINK_LINK_THREADS,      /* threads run: the next run binds it */
	RELINK_LINK_BUDGET,       /* it would take more private memory than allowed */
	RELINK_LINK_FOREIGN,      /* there are other bytes than expected: somebody else patches this code */
	RELINK_LINK_TARGET,       /* the slot leads to no module's code */
	RELINK_LINK_CHANGED,      /* somebody has changed the slot: through the stub again */
	RELINK_LINK_UNWRITABLE,   /* the write failed */
	RELINK_LINK_STATES
};
RELINK_API const char *relink_linkage_state_name(int state);

struct relink_linkage_info {
	uint32_t size;
	const char *module, *path;
	const char *why;           /* why its calls are left alone; NULL: they are not */
	uint64_t slots, lazy;      /* that lead to functions; that the loader has not bound yet */
	uint64_t found;            /* calls that are known: all of the module's where its code has been decoded, else those that were seen */
	uint64_t calls[RELINK_LINK_STATES];
	uint64_t learned;          /* of those: found hot in this process */
	uint64_t pages;            /* of its code that are private now because of this */
	uint64_t differ;           /* RELINK_LINKAGE_VERIFY: bound calls that do not lead where their slots do */
	int decoded;               /* 1: `found` is all */
};

struct relink_linkage_status {
	uint32_t size;
	int policy;                /* -1: relink_linkage has not been called */
	uint64_t start_ns;         /* time that relink_linkage took */
	uint64_t learn_ns;         /* time that binding later took; without the recorder's own */
	uint64_t recorded;         /* calls that the recorder has seen */
	uint64_t watching;         /* slots that lead to the recorder now */
	char notes[512];           /* one line each: what could not be done, and why */
	int closed;                /* 1: the process has shut itself in (seccomp), and nothing is written any more */
};

/* Calls visit for every module until it returns non-zero, and returns that. Pointers are valid during the visit only; the visitor
 * must not call relink. `status` may be NULL. Any thread; not from a signal handler. Without a visitor only
 * status->closed is told, and the kernel is asked for nothing. */
RELINK_API int relink_each_linkage(struct relink_linkage_status *status,
				   int (*visit)(const struct relink_linkage_info *info, void *ctx), void *ctx);

/* For `relink run`: a module that is being loaded, and whose code holds `caller`, is about to run its constructors. */
RELINK_API void relink_linkage_arrived_(const void *caller);

RELINK_END_DECLS

#endif
