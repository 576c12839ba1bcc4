/* test: LABELS soak TIMEOUT 120 NOT generic VARIANTS "-O2" "-O2 -DTRAPS" */
/* SPDX-License-Identifier: MIT */
/* immediates_stress.c - four threads read numbers of all widths, at several places, while they change: old or new, never torn. */
#include "stress.h"

RELINK_IMMEDIATE(uint8_t, one, 0x11, "a byte");
RELINK_IMMEDIATE(uint16_t, two, 0x1111, "two");
RELINK_IMMEDIATE(uint32_t, four, 0x11111111, "four");
RELINK_IMMEDIATE(uint64_t, eight, 0x1111111111111111, "eight");

/* Every byte of a state is the same, and another one than of any other state: what is torn is none of them. */
#define STATES 14
static uint64_t bytes_of(unsigned state)
{
	return UINT64_C(0x0101010101010101) * (0x11 * (state + 1));
}

static __attribute__((noinline)) uint64_t read_first(unsigned width)
{
	switch (width) {
	case 0: return relink_immediate(one);
	case 1: return relink_immediate(two);
	case 2: return relink_immediate(four);
	default: return relink_immediate(eight);
	}
}

static __attribute__((noinline)) uint64_t read_second(unsigned width)
{
	SKIP_TO(64, 61);
	return width == 3 ? relink_immediate(eight) : width == 2 ? relink_immediate(four) : width == 1 ? relink_immediate(two) : relink_immediate(one);
}

static struct timeline line;
static unsigned long looks, tellings, commits;

static int state_of(uint64_t value, unsigned width)
{
	for (unsigned n = 0; n < STATES; n++)
		if (value == (bytes_of(n) & (UINT64_MAX >> (64 - (8 << width)))))
			return (int)n;
	return -1;
}

static void *reader(void *unused)
{
	unsigned long n = 0, told = 0;

	while (running()) {
		unsigned width = ++n & 3;
		unsigned long before = timeline_read(&line);
		uint64_t seen = n & 4 ? read_first(width) : read_second(width);
		unsigned long after = timeline_read(&line);
		int state = state_of(seen, width);

		told += timeline_tells(before, after, STATES);
		if (state < 0 || !timeline_allows(before, after, STATES, (unsigned)state))
			CHECKF(false, "%u bytes: saw %#lx from %lu to %lu", 1u << width, seen, before, after);
		if (n % 512 == 0)
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

	for (unsigned n = 1; running(); n = (n + 1) % STATES) {
		struct relink_commit c = RELINK_COMMIT;

		relink_set_immediate(&c, one, bytes_of(n));
		relink_set_immediate(&c, two, bytes_of(n));
		relink_set_immediate(&c, four, bytes_of(n));
		relink_set_immediate(&c, eight, bytes_of(n));
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
	if (!check_allow_stores())
		check_skip("code can't be written by stores here");
#ifdef TRAPS
	CHECK(relink_declare(RELINK_TRAPS, NULL) == RELINK_OK);
#endif
	for (int i = 0; i < 4; i++)
		start(reader, NULL);
	start(committer, NULL);
	sleep_for(soak_seconds());
	finish();
	CHECKF(commits > 50, "only %lu commits", commits);
	CHECKF(tellings > looks / 1000, "only %lu of %lu looks could have failed", tellings, looks);
	printf("%lu commits, %lu looks, of which %lu between commits\n", commits, looks, tellings);
	return check_done();
}
