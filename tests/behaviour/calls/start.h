/* SPDX-License-Identifier: MIT */
/*
 * start.h - static calls from the first instruction on: in ifunc resolvers, which run while the module is relocated, in
 * .preinit_array, and in constructors of several priorities, some of which commit. Included by one file per kind of module.
 */
#ifndef TEST_CALLS_START_H
#define TEST_CALLS_START_H

#include <unistd.h>

#include <relink/relink.h>

struct start_seen {
	const char *where;
	int got, want;
};

RELINK_DECLARE_CALL(int, start_plain, (int n, double x));
RELINK_DECLARE_CALL(int, start_best, (int n));
RELINK_DECLARE_CALL(int, start_moved, (int n));
RELINK_DECLARE_CALL(void, start_null, (int *n));
extern struct start_seen start_seen[32];
extern int start_count;
int start_own_resolved(void);

#ifdef START_DEFINE

static int plain_default(int n, double x) { return n + (int)x; }
static int best_default(int n) { return n + 100; }
static int best_better(int n) { return n + 200; }
static int moved_default(int n) { return n + 1000; }
static int moved_elsewhere(int n) { return n + 2000; }
static void null_counts(int *n) { ++*n; }
RELINK_DEFINE_CALL(start_plain, plain_default, "stays what it is");
RELINK_DEFINE_CALL(start_best, best_default, "has a better variant", RELINK_FINAL);
RELINK_VARIANT(start_best, best_better, .rank = 5);
RELINK_DEFINE_CALL(start_moved, moved_default, "moved by a constructor");
RELINK_DEFINE_CALL_NULL(start_null, "nothing at first");
RELINK_VARIANT(start_null, null_counts, .rank = -1);
RELINK_KEY_TRUE(start_key, "a branch in early code");

struct start_seen start_seen[32];
int start_count;

static void see(const char *where, int got, int want)
{
	start_seen[start_count++ & 31] = (struct start_seen){ where, got, want };
}

static int nulls(void)
{
	int n = 0;

	start_null(&n);
	return n;
}

/* After relink's own constructor: the best variant. */
static void see_started(const char *where, int moved, int counted)
{
	see(where, start_plain(2, 40.5), 42);
	see(where, start_best(1), 201);
	see(where, start_moved(1), moved);
	see(where, nulls(), counted);
}

/*
 * The resolver calls static calls; what they return decides. A shared object's loader runs the resolvers of hidden functions
 * when all other slots are filled; for one that is visible, nothing that goes through the PLT can be called, static or not.
 */
static int resolved_wrong(void) { return 0; }
static int resolved_right(void) { return 1; }
__attribute__((used)) static int (*resolve(void))(void)
{
	int n = 0;

	start_null(&n);
	return start_plain(2, 3.0) == 5 && start_best(3) == 103 && start_moved(4) == 1004 && !n ? resolved_right : resolved_wrong;
}
int start_resolved(void) __attribute__((ifunc("resolve"), visibility("hidden")));
int start_own_resolved(void) { return start_resolved(); }

#ifdef START_PROGRAM
/* Before the runtime knows this module: everything is as linked. */
static void see_as_linked(const char *where)
{
	see(where, start_plain(2, 40.5), 42);
	see(where, start_best(1), 101);
	see(where, start_moved(1), 1001);
	see(where, nulls(), 0);
	see(where, relink_likely(start_key) ? 1 : 0, 1);
}

static void preinit(void) { see_as_linked(".preinit_array"); }
__attribute__((section(".preinit_array"), used)) static void (*preinit_entry)(void) = preinit;
#endif

__attribute__((constructor(102))) static void first(void)
{
	see_started("constructor 102", 1001, 0);
}

__attribute__((constructor(200))) static void commits(void)
{
	see("commit in a constructor", relink_call_set(start_moved, moved_elsewhere, 0), 0);
	see_started("constructor 200", 2001, 0);
}

__attribute__((constructor(60000))) static void commits_two(void)
{
	struct relink_commit c = RELINK_COMMIT;

	relink_set_call(&c, start_null, null_counts);
	relink_set_call(&c, start_moved, moved_default);
	see("transaction in a constructor", relink_commit(&c, RELINK_LIVE, 0), 0);
	see_started("constructor 60000", 1001, 1);
}

__attribute__((constructor)) static void last(void)
{
	see_started("constructor", 1001, 1);
}

/* As late as can be: choices that were made still hold. */
__attribute__((destructor(102))) static void late(void)
{
	if (start_best(1) != 201 || start_plain(2, 40.5) != 42 || nulls() != 1)
		_exit(1);
}

#endif
#endif
