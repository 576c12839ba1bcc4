/* SPDX-License-Identifier: MIT */
/* locks.c - shows the lock prefixes of the counters: while the program has one thread, and when it has more. */
#include "locks.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "counters.h"
#include "inventory.h"
#include "sites.h"
#include "util.h"

/* Long enough for the clock; the best of the rounds is the one that nobody disturbed. */
#define ROUNDS 15
#define INCREMENTS 500000u

struct counters counters;

static double ns_per_increment(void)
{
	static uint64_t count;
	uint64_t best = UINT64_MAX;

	for (int round = 0; round < ROUNDS; round++) {
		uint64_t start = now_ns(), ns;

		for (unsigned i = 0; i < INCREMENTS; i++)
			relink_atomic_inc(&count);
		ns = now_ns() - start;
		best = ns < best ? ns : best;
	}
	return (double)best / INCREMENTS;
}

/* NULL: the program has no opinion. */
static void set_locks(const char *state)
{
	struct relink_commit commit = RELINK_COMMIT;
	struct relink_error err;

	if (state)
		relink_set(&commit, "locks", state);
	else
		relink_unset(&commit, "locks");
	if (relink_commit(&commit, RELINK_LIVE, &err) < 0)
		die("%s", relink_error_text(&err));
}

static void measure(bool off)
{
	double without = 0, with;

	if (off) {
		without = ns_per_increment();
		set_locks("on");
	}
	with = ns_per_increment();
	if (off) {
		set_locks(NULL);
		printf("  increments and nothing else, in a loop: %.2f ns each without prefix, %.2f ns with it; where they are a\n"
		       "  small part of the work little is gained, and nothing here, where workers run from now on\n", without, with);
	} else {
		printf("  increments and nothing else, in a loop: %.2f ns each, with prefix\n", with);
	}
}

/* Returns whether prefixes are off. */
static bool show(const char *when)
{
	struct relink_status status = { .size = sizeof(status) };
	struct inventory v;
	const struct choice *locks;
	bool off = false;

	inventory_read(&v);
	locks = inventory_find(&v, "locks");
	if (!locks || relink_get_status(&status) < 0) {
		printf("  %s: no lock prefix is a site in this program, all are there\n", when);
	} else {
		off = strcmp(locks->state, "off") == 0;
		printf("  %s: locks is %s\n", when, status.locks);
		sites_show_lock(relink_level_name(locks->decided_by));
	}
	inventory_free(&v);
	return off;
}

void locks_show_alone(void)
{
	measure(show("one thread"));
}

void locks_show_threads(unsigned threads)
{
	char when[48];

	snprintf(when, sizeof(when), "%u worker%s", threads, threads > 1 ? "s" : "");
	show(when);
}

bool locks_show_counts(struct workers *w)
{
	uint64_t files = relink_atomic_load(&counters.files), bytes = relink_atomic_load(&counters.bytes);
	char size[SIZE_TEXT];

	workers_take(w, NULL);
	printf("  %" PRIu64 " files, %s, %" PRIu64 " files traced\n", files, size_text(size, bytes),
	       (uint64_t)relink_atomic_load(&counters.traced));
	if (files == w->all.files && bytes == w->all.bytes) {
		puts("  files and bytes are exactly the sums of what each worker has counted for itself");
		return true;
	}
	printf("  FAILED: the workers counted %" PRIu64 " files and %" PRIu64 " bytes, together it is %" PRIu64 " bytes\n",
	       w->all.files, w->all.bytes, bytes);
	return false;
}
