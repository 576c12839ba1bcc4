/* SPDX-License-Identifier: MIT */
/* test: LABELS soak VARIANTS "-O2" "-O0" "-O2 -DSTORES" "-O2 -DSTORES -DTRAPS" */
/*
 * stress_ops.c - a table goes back and forth between backends under four threads that call its members: every call is answered by
 * the backend that is bound, or while one replaces the other by one of both.
 */
#include "stress.h"

#define LOAD_OPS(op) \
	op(unsigned long, number, (unsigned long x)) \
	op(unsigned long, second, (unsigned long x)) \
	op(unsigned long, third, (unsigned long x)) \
	op(void, note, (unsigned long *x)) \
	op(unsigned long, missing, (unsigned long x))
RELINK_DECLARE_OPS(load, LOAD_OPS);

#define FUNCTIONS(s, n) \
	static unsigned long s##_number(unsigned long x) { return 4 * x + n; } \
	static unsigned long s##_second(unsigned long x) { return 8 * x + n; }
FUNCTIONS(zero, 0)
FUNCTIONS(one, 1)
FUNCTIONS(two, 2)
static void one_note(unsigned long *x) { *x += 1; }
static void two_note(unsigned long *x) { *x += 2; }
static unsigned long one_third(unsigned long x) { return x + 1; }
static unsigned long two_missing(unsigned long x) { return 4 * x + 2; }
RELINK_OP_CONST(load, third, third_two, 2);
RELINK_OP_CONST(load, missing, missing_one, 1);
static const struct load_ops zero_load = {
	.number = zero_number, .second = zero_second, .third = RELINK_OP_IDENTITY(load, third), .note = RELINK_OP_NOP(load, note)
};
static const struct load_ops one_load = { one_number, one_second, one_third, one_note, missing_one };
static const struct load_ops two_load = { two_number, two_second, third_two, two_note, two_missing };
RELINK_DEFINE_OPS(load, LOAD_OPS, zero_load, "under load");
RELINK_BACKEND(load, one_load);

#define STATES 3
#define BROKEN 99

static const struct load_ops *const backends[STATES] = { &zero_load, &one_load, &two_load };
static struct timeline timeline;
static unsigned long looks, tellings, commits;

/* Which backend has answered? One site each at every offset of a cache line. */
#define SITE __attribute__((noinline)) static unsigned
#define KEEP(r) __asm__ volatile("" : "+r"(r))
#define CALLS(n) \
	SITE number_##n(unsigned long x) \
	{ \
		SKIP_TO(64, n); \
		unsigned long r = load_number(x); \
		KEEP(r); \
		return r / 4 == x ? r % 4 : BROKEN; \
	} \
	SITE third_##n(unsigned long x) \
	{ \
		SKIP_TO(64, n); \
		unsigned long r = load_third(4 * x + 16); \
		KEEP(r); \
		return r == 4 * x + 16 ? 0 : r == 4 * x + 17 ? 1 : r == 2 ? 2 : BROKEN; \
	} \
	SITE note_##n(unsigned long x) \
	{ \
		SKIP_TO(64, n); \
		load_note(&x); \
		KEEP(x); \
		return x % 4; \
	} \
	SITE missing_##n(unsigned long x) \
	{ \
		SKIP_TO(64, n); \
		unsigned long r = load_missing(x + 5); \
		KEEP(r); \
		return r == 0 ? 0 : r == 1 ? 1 : r == 4 * (x + 5) + 2 ? 2 : BROKEN; \
	}
EACH_64(CALLS)

__attribute__((noinline)) static unsigned long tail_second(unsigned long x) { return load_second(x); }
SITE second(unsigned long x)
{
	unsigned long r = tail_second(x);

	return r / 8 == x ? r % 8 : BROKEN;
}

typedef unsigned site(unsigned long x);
#define NAMES(n) number_##n, third_##n, note_##n, missing_##n,
static site *const sites[] = { EACH_64(NAMES) second };

static void *reader(void *unused)
{
	unsigned long told = 0, n = 0;

	for (unsigned long x = 0; running(); x++)
		for (unsigned i = 0; i < COUNT(sites); i++, n++) {
			unsigned long before = timeline_read(&timeline);
			unsigned seen = sites[i](4 * (x % 1024));
			unsigned long after = timeline_read(&timeline);

			told += timeline_tells(before, after, STATES);
			if (seen >= STATES || !timeline_allows(before, after, STATES, seen))
				CHECKF(false, "site %u: %u from %lu to %lu", i, seen, before, after);
			if (n % 4096 == 0)
				rest();
		}
	__atomic_fetch_add(&looks, n, __ATOMIC_RELAXED);
	__atomic_fetch_add(&tellings, told, __ATOMIC_RELAXED);
	return unused;
}

static void *committer(void *unused)
{
	struct chance chance = { 5 };
	struct relink_error err;

	while (running()) {
		unsigned next = (unsigned)((timeline.now / 2 + 1) % STATES);

		timeline_step(&timeline);
		CHECK_CODE(relink_bind_ops(load, backends[next], &err), RELINK_OK, &err);
		timeline_step(&timeline);
		commits++;
		linger(&chance);
	}
	return unused;
}

int main(void)
{
	struct relink_error err;

#ifdef STORES
	check_allow_stores();
#endif
#ifdef TRAPS
	int r = relink_declare(RELINK_TRAPS, &err);

	if (r == RELINK_E_WRITE)
		check_skip("code can't be written here");
	CHECK_CODE(r, RELINK_OK, &err);
#endif
	(void)err;
	for (int i = 0; i < 4; i++)
		start(reader, NULL);
	start(committer, NULL);
	sleep_for(soak_seconds());
	finish();
	for (unsigned i = 0; i < COUNT(sites); i++)
		CHECKF(sites[i](8) == (timeline.now / 2) % STATES, "site %u at rest", i);
	CHECKF(commits > 10 && tellings > looks / 1000, "only %lu commits, %lu of %lu looks could fail", commits, tellings, looks);
	printf("%lu commits, %lu looks\n", commits, looks);
	return check_done();
}
