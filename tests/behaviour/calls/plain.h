/* SPDX-License-Identifier: MIT */
/*
 * plain.h - a program with a few static calls, whatever is known of its sites. CHECK_SITES in the environment says what should be:
 * "found", or a word that the status has to give as the reason why nothing is.
 */
#include "../check.h"
#include "far.h"

RELINK_DECLARE_CALL(int, plain_int, (int n));
RELINK_DECLARE_CALL(double, plain_double, (double x, float y));
RELINK_DECLARE_CALL(void, plain_void, (int *n));

static int int_default(int n) { return n + 1; }
static int int_other(int n) { return n + 2; }
static double double_default(double x, float y) { return x + (double)y; }
static double double_other(double x, float y) { return x - (double)y; }
static void void_default(int *n) { *n += 1; }
RELINK_DEFINE_CALL(plain_int, int_default, "an integer");
RELINK_VARIANT(plain_int, int_other);
RELINK_VARIANT_CONST(plain_int, seven, 7);
RELINK_DEFINE_CALL(plain_double, double_default, "a floating point number", RELINK_FINAL);
RELINK_VARIANT(plain_double, double_other, .rank = 1);
RELINK_DEFINE_CALL(plain_void, void_default, "nothing");

__attribute__((noinline)) static int tail_int(int n) { return plain_int(2 * n); }

static struct relink_error err;

static void check_results(int add, int counted)
{
	int n = 0;

	plain_void(&n);
	CHECKF(n == counted, "void: %d, want %d", n, counted);
	CHECKF(plain_int(10) == 10 + add && tail_int(10) == 20 + add, "int: %d %d, want +%d", plain_int(10), tail_int(10), add);
	CHECK(plain_double(1.5, 0.5f) == 1.0);
}

static void check_transitions(void)
{
	static const uint8_t add_five[] = { 0x8d, 0x47, 0x05, 0xc3 }; /* lea 5(%rdi),%eax; ret */
	struct relink_commit c = RELINK_COMMIT;
	int (*far)(int);

	check_results(1, 1);
	CHECK_CODE(relink_call_set(plain_int, int_other, &err), RELINK_OK, &err);
	CHECK_CODE(relink_call_set(plain_void, NULL, &err), RELINK_OK, &err);
	check_results(2, 0);
	*(void **)&far = far_code(add_five, sizeof(add_five));
#ifdef __x86_64__
	CHECK_CODE(relink_call_set(plain_int, far, &err), RELINK_OK, &err);
	check_results(5, 0);
#endif
	relink_set(&c, "plain_int", "seven");
	relink_set(&c, "plain_void", "default");
	CHECK_CODE(relink_commit(&c, RELINK_LIVE, &err), RELINK_E_STATE, &err);
	relink_set(&c, "plain_int", "seven");
	relink_set(&c, "plain_void", "void_default");
	CHECK_CODE(relink_commit(&c, RELINK_LIVE, &err), RELINK_OK, &err);
	CHECK(plain_int(10) == 7 && tail_int(10) == 7);
	CHECK_CODE(relink_call_clear(plain_int, &err), RELINK_OK, &err);
	check_results(1, 1);
}

static void check_sites(const char *expected)
{
	struct relink_status s = { .size = sizeof(s) };
	uint64_t found = 0;

	CHECK(relink_get_status(&s) == 0);
	if (!strcmp(s.arch, "generic"))
		return;
	for (int reason = 0; reason < RELINK_REASONS; reason++)
		found += s.sites[RELINK_SITE_CALL][reason] + s.sites[RELINK_SITE_TAIL][reason];
	CHECKF(s.sites[RELINK_SITE_TRAMPOLINE][RELINK_BOUND] == 3, "trampolines are not bound");
	if (!strcmp(expected, "found")) {
		CHECKF(found >= 4 && !*s.notes, "%llu sites, notes: %s", (unsigned long long)found, s.notes);
		return;
	}
	CHECKF(!found, "%llu sites", (unsigned long long)found);
	CHECK_HAS(s.notes, expected);
}

static int plain_main(const char *expected)
{
	const char *other = getenv("CHECK_SITES");

	check_transitions();
	check_sites(other ? other : expected);
	return check_done();
}
