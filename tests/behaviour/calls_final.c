// test: VARIANTS "-O2" "-O2 -fPIC" "-O2 -fcf-protection" NOT generic
/* SPDX-License-Identifier: MIT */
/*
 * A final choice is decided at start-up, and then every site is bound, wherever it lies. Until relink_init the decision may move
 * while the program has one thread; afterwards it is refused and nothing changes.
 */
#include "check.h"
#include "calls/decode_x86_64.h"
#include "calls/sites_x86_64.h"

RELINK_DECLARE_CALL(int, decided, (long n));
RELINK_DECLARE_CALL(void, muted, (int *n));
RELINK_DECLARE_CALL(uint64_t, fixed, (long n));
SITES(decided);
SITES(muted);
SITES(fixed);

static int decided_plain(long n) { return (int)n + 1; }
static int decided_better(long n) { return (int)n + 2; }
static int decided_best(long n) { return (int)n + 3; }
static int decided_impossible(long n) { return (int)n + 4; }
static int yes(void) { return 1; }
static int no(void) { return 0; }
RELINK_DEFINE_CALL(decided, decided_plain, "final", RELINK_FINAL);
RELINK_VARIANT(decided, decided_better, .rank = 5);
RELINK_VARIANT(decided, decided_best, .condition = yes, .rank = 7);
RELINK_VARIANT(decided, decided_impossible, .condition = no, .rank = 9);

static void muted_counts(int *n) { ++*n; }
RELINK_DEFINE_CALL_NULL(muted, "final, does nothing", RELINK_FINAL);
RELINK_VARIANT(muted, muted_counts, .rank = -1);

static uint64_t fixed_default(long n) { return (uint64_t)n; }
RELINK_DEFINE_CALL(fixed, fixed_default, "final, a constant", RELINK_FINAL);
RELINK_VARIANT_CONST(fixed, answer, 42, .rank = 1);

static struct relink_error err;

/* ---- what sites do ---- */

static void check_results(int decided_by, int counted, bool constant)
{
	for (size_t i = 0; i < SITES_COUNT; i++) {
		int n = 0;

		CHECK((int)site_reach(&sites_decided[i], 100) == 100 + decided_by);
		CHECK(site_reach(&sites_fixed[i], 7) == (constant ? 42 : 7));
		sites_muted[i].fn.nothing(&n, flags_for(sites_muted[i].condition, 1));
		CHECK(n == counted);
	}
}

/* ---- what sites hold ---- */

static bool is_direct(const struct relink_site_info *site, const struct relink_call *call, bool null, bool constant)
{
	const uint8_t *bytes = (const uint8_t *)site->address;

	if (null && site->kind != RELINK_SITE_JCC)
		return bytes[0] == (site->kind == RELINK_SITE_CALL ? 0xa9 : 0xc3);
	if (constant && site->kind == RELINK_SITE_CALL)
		return bytes[0] == 0xb8 && bytes[1] == 42;
	return destination(site->kind, bytes) == (uintptr_t)*call->slot;
}

static size_t direct, others;
static int look_at(const struct relink_site_info *site, void *unused)
{
	const struct relink_call *call = !strcmp(site->choice, "decided") ? &relink_call_decided :
					 !strcmp(site->choice, "muted") ? &relink_call_muted : &relink_call_fixed;
	bool null = call == &relink_call_muted && *call->slot == (void (*)(void))relink_do_nothing;
	bool constant = call == &relink_call_fixed && *call->slot != (void (*)(void))fixed_default;

	(void)unused;
	if (site->reason == RELINK_BOUND) {
		direct++;
		CHECKF(is_direct(site, call, null, constant), "%s: %s at %lu mod 8", site->choice, relink_site_kind_name(site->kind),
		       site->address % 8);
	} else {
		others++;
		CHECKF(null && site->kind == RELINK_SITE_JCC && site->reason == RELINK_BY_STUB, "%s: %s at %lu mod 8 is %s", site->choice,
		       relink_site_kind_name(site->kind), site->address % 8, relink_reason_name(site->reason));
	}
	return 0;
}

/* All but conditional jumps to NULL, which has no such instruction. */
static void check_bound(bool null)
{
	direct = others = 0;
	CHECK(relink_each_site(look_at, NULL) == 0);
	CHECKF(direct >= 3 * (SITES_COUNT + 1) - (null ? 128 : 0) && others == (null ? 128 : 0), "%zu direct, %zu not", direct, others);
}

static void refuse(const char *name, const char *state, int mode)
{
	struct relink_commit c = RELINK_COMMIT;

	relink_set(&c, name, state);
	CHECK_CODE(relink_commit(&c, mode, &err), RELINK_E_FINAL, &err);
	CHECK(!strcmp(err.choice, name));
	CHECK_HAS(err.text, "final");
}

int main(int argc, char **argv)
{
	/* At start: nothing but constructors has run. */
	check_results(3, 0, true);
	check_bound(true);
	/* Decided anew, several times. */
	CHECK_CODE(relink_call_set(decided, decided_plain, &err), RELINK_OK, &err);
	CHECK_CODE(relink_call_set(muted, muted_counts, &err), RELINK_OK, &err);
	CHECK_CODE(relink_call_set(fixed, fixed_default, &err), RELINK_OK, &err);
	check_results(1, 1, false);
	check_bound(false);
	CHECK_CODE(relink_call_set(decided, decided_better, &err), RELINK_OK, &err);
	CHECK_CODE(relink_call_set(muted, NULL, &err), RELINK_OK, &err);
	CHECK_CODE(relink_call_clear(fixed, &err), RELINK_OK, &err);
	check_results(2, 0, true);
	check_bound(true);
	/* And now for good. */
	CHECK_CODE(relink_init(&argc, argv, &err), RELINK_OK, &err);
	refuse("decided", "best", RELINK_LIVE);
	refuse("decided", "plain", RELINK_STARTUP);
	refuse("muted", "counts", RELINK_LIVE);
	refuse("fixed", "default", RELINK_LIVE);
	CHECK_CODE(relink_call_set(decided, decided_plain, &err), RELINK_E_FINAL, &err);
	CHECK_CODE(relink_call_clear(decided, &err), RELINK_E_FINAL, &err);
	CHECK_CODE(relink_call_set(decided, decided_better, &err), RELINK_OK, &err);
	check_results(2, 0, true);
	check_bound(true);
	return check_done();
}
