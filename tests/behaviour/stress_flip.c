/* SPDX-License-Identifier: MIT */
/* test: LABELS soak VARIANTS "-O2" "-O0" */
/* stress_flip.c - branches at every offset of a cache line and across pages are flipped as fast as possible under eight threads. */
#include "stress.h"

#define READERS 8

RELINK_KEY_FALSE(first, "false at link time");
RELINK_KEY_TRUE(second, "true at link time");

static struct timeline timelines[2]; /* of first and second */
static unsigned long flips[2], looks, tellings;

/* ---- sites ---- */

/* Each looks in both ways: relink_unlikely in bit 0, relink_likely in bit 1. */
#define LOOK(key, n, boundary, skip) \
	static __attribute__((noinline)) unsigned look_##key##_##boundary##_##n(void) \
	{ \
		unsigned seen = 0; \
		SKIP_TO(boundary, skip); \
		if (relink_unlikely(key)) \
			seen |= 1; \
		if (relink_likely(key)) \
			seen |= 2; \
		return seen; \
	}
/* The other way round, so that both forms get to every place. */
#define LOOK_BACK(key, n, boundary, skip) \
	static __attribute__((noinline)) unsigned look_back_##key##_##boundary##_##n(void) \
	{ \
		unsigned seen = 0; \
		SKIP_TO(boundary, skip); \
		if (relink_likely(key)) \
			seen |= 2; \
		if (relink_unlikely(key)) \
			seen |= 1; \
		return seen; \
	}
#define LOOKS(n) LOOK(first, n, 64, n) LOOK_BACK(second, n, 64, n)
#define LOOKS_ACROSS(n) LOOK(first, n, 4096, 4094 - n) LOOK_BACK(second, n, 4096, 4094 - n)
EACH_64(LOOKS)
EACH_16(LOOKS_ACROSS)

typedef unsigned look(void);
#define NAME_FIRST(n) look_first_64_##n,
#define NAME_FIRST_ACROSS(n) look_first_4096_##n,
#define NAME_SECOND(n) look_back_second_64_##n,
#define NAME_SECOND_ACROSS(n) look_back_second_4096_##n,
#define SITES 80
static look *const table[2][SITES] = {
	{ EACH_64(NAME_FIRST) EACH_16(NAME_FIRST_ACROSS) },
	{ EACH_64(NAME_SECOND) EACH_16(NAME_SECOND_ACROSS) },
};

/* ---- readers ---- */

/* Two branches are two looks: during a commit they may differ. */
static bool allowed(unsigned which, unsigned long before, unsigned long after, unsigned seen)
{
	unsigned shift = which; /* `second` starts true: its state n is n + 1 modulo 2 */

	return timeline_allows(before, after, 2, ((seen & 1) + shift) & 1) &&
	       timeline_allows(before, after, 2, (((seen >> 1) & 1) + shift) & 1);
}

static unsigned long look_around(unsigned which)
{
	const struct timeline *t = &timelines[which];
	unsigned long told = 0;

	for (unsigned i = 0; i < SITES; i++) {
		unsigned long before = timeline_read(t);
		unsigned seen = table[which][i]();
		unsigned long after = timeline_read(t);

		told += timeline_tells(before, after, 2);
		if (!allowed(which, before, after, seen))
			CHECKF(false, "key %u, site %u: saw %u from %lu to %lu", which, i, seen, before, after);
	}
	return told;
}

static void *reader(void *unused)
{
	unsigned long rounds = 0, told = 0;

	while (running()) {
		told += look_around(rounds & 1);
		if (++rounds % 256 == 0)
			rest();
	}
	__atomic_fetch_add(&looks, rounds * SITES, __ATOMIC_RELAXED);
	__atomic_fetch_add(&tellings, told, __ATOMIC_RELAXED);
	return unused;
}

/* ---- committers ---- */

static int flip(unsigned which, bool on, struct relink_error *err)
{
	return which ? relink_key_set(second, on, err) : relink_key_set(first, on, err);
}

static void flip_until_over(unsigned which, struct chance *chance)
{
	bool on = which;
	struct relink_error err;

	while (running()) {
		on = !on;
		timeline_step(&timelines[which]);
		if (!CHECK_CODE(flip(which, on, &err), RELINK_OK, &err))
			break;
		timeline_step(&timelines[which]);
		flips[which]++;
		linger(chance);
	}
}

static void *committer(void *argument)
{
	unsigned which = argument != NULL;
	struct chance chance = { which };

	flip_until_over(which, &chance);
	return NULL;
}

/* ---- one phase with one committer, one with two ---- */

static void run(bool both, double seconds)
{
	for (unsigned i = 0; i < READERS; i++)
		start(reader, NULL);
	start(committer, NULL);
	if (both)
		start(committer, &timelines[1]);
	sleep_for(seconds);
	finish();
	if (timelines[0].now / 2 % 2)
		relink_key_clear(first, NULL);
	if (timelines[1].now / 2 % 2)
		relink_key_clear(second, NULL);
	timelines[0].now = timelines[1].now = 0;
}

#if RELINK_PATCHES_
static void check_sites(void)
{
	static const char *const names[] = { "first", "second" };
	struct places places;

	for (unsigned i = 0; i < 2; i++) {
		find_places(&places, names[i]);
		check_places(&places);
		CHECKF(places.reasons[RELINK_BOUND] == places.sites, "%s: %u of %u sites are bound", names[i], places.reasons[RELINK_BOUND],
		      places.sites);
	}
}
#else
static void check_sites(void)
{
}
#endif

int main(void)
{
	double seconds = soak_seconds();

	check_sites();
	run(false, seconds / 2);
	run(true, seconds / 2);
	CHECKF(flips[0] > 10 && flips[1] > 10, "only %lu and %lu flips", flips[0], flips[1]);
	CHECKF(tellings > looks / 1000, "only %lu of %lu looks could have failed", tellings, looks);
	printf("%lu flips of %d sites, %lu looks, of which %lu between commits\n", flips[0] + flips[1], 2 * SITES, looks, tellings);
	return check_done();
}
