/* test: LABELS soak TIMEOUT 120 */
/* SPDX-License-Identifier: MIT */
/*
 * functions_stress.c - four threads call while commits change what is read. A variant that names all it reads has all of it from
 * before a commit or all of it from after; the generic body has each from before or after. Between commits only what holds
 * may be seen.
 */
#include "stress.h"
#include "functions/functions.h"

RELINK_KEY_FALSE(trace, "a key");
RELINK_OPTION(mode, "an option", slow, fast, odd);
RELINK_IMMEDIATE(uint16_t, depth, 2, "a number");

RELINK_FUNCTION(work, (int x), (x), "reads all three",
		(RELINK_READS_KEY(trace, tracing), RELINK_READS_OPTION(mode, how), RELINK_READS_NUMBER(depth, levels)),
		RELINK_FOR(RELINK_IS_OFF(trace), RELINK_IS(mode, slow), RELINK_IS_NUMBER(depth, 2)),
		RELINK_FOR(RELINK_IS_ON(trace), RELINK_IS(mode, fast), RELINK_IS_NUMBER(depth, 300)),
		RELINK_FOR(RELINK_IS_ON(trace), RELINK_IS(mode, odd), RELINK_IS_NUMBER(depth, 77)),
		RELINK_FOR(RELINK_IS_OFF(trace), RELINK_IS(mode, odd), RELINK_IS_NUMBER(depth, 65535)))
{
	return FUNCTIONS_RESULT(tracing, how, levels, x);
}

static const struct { bool tracing; int how, levels; } states[] = {
	{ false, 0, 2 }, { true, 1, 300 }, { true, 2, 77 }, { false, 2, 65535 },
	/* One step away from the one before and the one behind, and generic: what is read there one by one is consistent, too. */
	{ false, 2, 2 },
};
#define STATES COUNT(states)

static struct timeline line;
static unsigned long looks, tellings, commits;

static long result(size_t n, int x)
{
	return FUNCTIONS_RESULT(states[n].tracing, states[n].how, states[n].levels, x);
}

static int which_of(long seen, int x)
{
	for (size_t n = 0; n < STATES; n++)
		if (seen == result(n, x))
			return (int)n;
	return -1;
}

static __attribute__((noinline)) long several(int x)
{
	return work(x) - work(x) + work(x); /* sites at several places in their words; the first two may differ */
}

static void *caller(void *unused)
{
	unsigned long n = 0, told = 0;

	while (running()) {
		int x = (int)(++n % 50);
		unsigned long before = timeline_read(&line);
		long seen = n & 1 ? work(x) : (several(x), work(x));
		unsigned long after = timeline_read(&line);
		int which = which_of(seen, x);

		told += timeline_tells(before, after, STATES);
		/* Who stays in the generic body for long may read of more states than two. */
		if (which < 0 ? (after + 1) / 2 - before / 2 < 2 : !timeline_allows(before, after, STATES, (unsigned)which))
			CHECKF(false, "saw %ld (state %d) from %lu to %lu", seen, which, before, after);
		if (n % 256 == 0)
			rest();
	}
	__atomic_fetch_add(&looks, n, __ATOMIC_RELAXED);
	__atomic_fetch_add(&tellings, told, __ATOMIC_RELAXED);
	return unused;
}

static void *committer(void *unused)
{
	struct chance chance = { 1 };
	struct relink_error err;

	for (size_t n = 1; running(); n = (n + 1) % STATES) {
		struct relink_commit c = RELINK_COMMIT;

		relink_set_key(&c, trace, states[n].tracing);
		relink_wish_option(&c, &mode.option, states[n].how);
		relink_set_immediate(&c, depth, states[n].levels);
		timeline_step(&line);
		if (!CHECK_CODE(relink_commit(&c, RELINK_LIVE, &err), RELINK_OK, &err))
			break;
		timeline_step(&line);
		commits++;
		linger(&chance);
	}
	return unused;
}

int main(void)
{
	for (int i = 0; i < 4; i++)
		start(caller, NULL);
	start(committer, NULL);
	sleep_for(soak_seconds());
	finish();
	CHECKF(commits > 20, "only %lu commits", commits);
	CHECKF(tellings > looks / 1000, "only %lu of %lu looks could have failed", tellings, looks);
	printf("%lu commits, %lu looks, of which %lu between commits\n", commits, looks, tellings);
	return check_done();
}
