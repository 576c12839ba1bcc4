// test: VARIANTS "-O0" "-O2" "-O2 -fPIC"
/* SPDX-License-Identifier: MIT */
/* Options with two to sixteen states: each state's branch is true in that state alone, from every state to every other. */
#include "check.h"

RELINK_DECLARE_OPTION(two, a, b);
RELINK_OPTION(two, "two states", a, b);
RELINK_OPTION(sixteen, "sixteen states", s0, s1, s2, s3, s4, s5, s6, s7, s8, s9, s10, s11, s12, s13, s14, s15);

static struct relink_error err;

#define EACH(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15)
#define MARK(n) if (relink_option_is(sixteen, s##n)) mask |= 1u << n;
__attribute__((noinline)) static unsigned mask_of_sixteen(void)
{
	unsigned mask = 0;

	EACH(MARK)
	return mask;
}

#define SET(n) static int set_##n(void) { return relink_option_set(sixteen, s##n, &err); }
EACH(SET)
#define ENTRY(n) set_##n,
static int (*const set[])(void) = { EACH(ENTRY) };

static void check_sixteen(int state)
{
	CHECKF(relink_option_state(sixteen) == state && mask_of_sixteen() == 1u << state, "state %d, branches %#x, want %d",
	       relink_option_state(sixteen), mask_of_sixteen(), state);
}

static void test_sixteen(void)
{
	check_sixteen(0);
	for (int from = 0; from < 16; from++)
		for (int to = 0; to < 16; to++) {
			CHECK_CODE(set[from](), RELINK_OK, &err);
			check_sixteen(from);
			CHECK_CODE(set[to](), RELINK_OK, &err);
			check_sixteen(to);
		}
	CHECK_CODE(relink_option_clear(sixteen, &err), RELINK_OK, &err);
	check_sixteen(0);
	CHECK(RELINK_STATE(sixteen, s0) == 0 && RELINK_STATE(sixteen, s15) == 15);
}

static void test_two(void)
{
	CHECK(relink_option_is(two, a) && !relink_option_is(two, b));
	CHECK_CODE(relink_option_set(two, b, NULL), RELINK_OK, NULL);
	CHECK(!relink_option_is(two, a) && relink_option_is(two, b) && relink_option_state(two) == RELINK_STATE(two, b));
	CHECK_CODE(relink_option_set(two, a, NULL), RELINK_OK, NULL);
	CHECK(relink_option_is(two, a) && !relink_option_is(two, b));
}

/* A state that isn't there. */
static void test_misuse(void)
{
	static const int states[] = { -2, -3, 16, 1000 };

	for (size_t i = 0; i < COUNT(states); i++) {
		CHECKF(relink_option_set_(&sixteen.option, states[i], &err) < 0, "state %d was taken", states[i]);
		check_sixteen(0);
	}
}

int main(void)
{
	test_sixteen();
	test_two();
	test_misuse();
	return check_done();
}
