// test: VARIANTS "-DQUIET" "-DLIVE" "-DLIVE -DUNDECLARED" "-DTRAPS" "-DTRAPS -DUNDECLARED" "-DSTRICT" "-DSTARTUP" "-DLIVE -fPIC" "-DLIVE -fcf-protection" NOT generic
/* SPDX-License-Identifier: MIT */
/*
 * From every target to every other, at every kind of site, at every address modulo 8: two functions, one that is too far away, NULL,
 * and constants that fit an instruction and that don't. What a site holds is what its target needs.
 *
 *	QUIET    nobody else runs             LIVE     another thread exists: one store, or the trampoline
 *	STARTUP  as QUIET, and says so        TRAPS    int3: every site    STRICT  int3 for everything
 */
#include <pthread.h>

#include "check.h"
#include "calls/decode_x86_64.h"
#include "calls/far.h"
#include "calls/sites_x86_64.h"

#ifdef STARTUP
#define MODE RELINK_STARTUP
#else
#define MODE RELINK_LIVE
#endif

RELINK_DECLARE_CALL(int, value32, (long n));
RELINK_DECLARE_CALL(uint64_t, value64, (long n));
RELINK_DECLARE_CALL(bool, truth, (long n));
RELINK_DECLARE_CALL(const char *, pointer, (long n));
RELINK_DECLARE_CALL(void, noop, (int *n));
SITES(value32);
SITES(value64);
SITES(truth);
SITES(pointer);
SITES(noop);

static int value32_a(long n) { return (int)n + 1000; }
static int value32_b(long n) { return (int)n + 2000; }
RELINK_DEFINE_CALL(value32, value32_a, "32 bits");
RELINK_VARIANT(value32, value32_b);
RELINK_VARIANT_CONST(value32, zero, 0);
RELINK_VARIANT_CONST(value32, seven, 7);
RELINK_VARIANT_CONST(value32, minus_two, -2);

static uint64_t value64_a(long n) { return (uint64_t)n + 1000; }
static uint64_t value64_b(long n) { return (uint64_t)n << 33; }
RELINK_DEFINE_CALL(value64, value64_a, "64 bits");
RELINK_VARIANT(value64, value64_b);
RELINK_VARIANT_CONST(value64, fits, 0xffffffffu);
RELINK_VARIANT_CONST(value64, too_large, 0x123456789abcdef0u);
RELINK_VARIANT_CONST(value64, all_ones, UINT64_MAX);

static bool truth_a(long n) { return n & 1; }
static bool truth_b(long n) { return !(n & 1); }
RELINK_DEFINE_CALL(truth, truth_a, "one bit");
RELINK_VARIANT(truth, truth_b);
RELINK_VARIANT_CONST(truth, always, true);
RELINK_VARIANT_CONST(truth, never, false);

static const char text[64];
static const char *pointer_a(long n) { return text + n; }
static const char *pointer_b(long n) { return (const char *)n; }
RELINK_DEFINE_CALL(pointer, pointer_a, "a pointer");
RELINK_VARIANT(pointer, pointer_b);
RELINK_VARIANT_CONST(pointer, null, NULL);
RELINK_VARIANT_CONST(pointer, low, (const char *)0x1000);

static void noop_a(int *n) { *n += 1; }
static void noop_b(int *n) { *n += 2; }
RELINK_DEFINE_CALL(noop, noop_a, "no result");
RELINK_VARIANT(noop, noop_b);

/* Results are compared at the width of their type. */
static uint64_t reach32(const struct site *s, long n) { return (uint32_t)site_reach(s, n); }
static uint64_t reach64(const struct site *s, long n) { return (uint64_t)site_reach(s, n); }
static uint64_t reach8(const struct site *s, long n) { return (uint8_t)site_reach(s, n); }
static uint64_t reach_nothing(const struct site *s, long n)
{
	int count = (int)n;

	s->fn.nothing(&count, flags_for(s->condition, 1));
	return (uint64_t)(count - n);
}

static uint64_t is_32a(long n) { return (uint32_t)n + 1000; }
static uint64_t is_32b(long n) { return (uint32_t)n + 2000; }
static uint64_t is_64a(long n) { return (uint64_t)n + 1000; }
static uint64_t is_64b(long n) { return (uint64_t)n << 33; }
static uint64_t is_odd(long n) { return n & 1; }
static uint64_t is_even(long n) { return !(n & 1); }
static uint64_t is_text(long n) { return (uint64_t)(uintptr_t)text + (uint64_t)n; }
static uint64_t is_n(long n) { return (uint64_t)n; }
static uint64_t is_far(long n) { return (uint64_t)n + 5000; }
static uint64_t is_0(long n) { return 0 * (uint64_t)n; }
static uint64_t is_1(long n) { return is_0(n) + 1; }
static uint64_t is_2(long n) { return is_0(n) + 2; }
static uint64_t is_3(long n) { return is_0(n) + 3; }
static uint64_t is_7(long n) { return is_0(n) + 7; }
static uint64_t is_minus_two(long n) { return is_0(n) + 0xfffffffeu; }
static uint64_t is_fits(long n) { return is_0(n) + 0xffffffffu; }
static uint64_t is_too_large(long n) { return is_0(n) + 0x123456789abcdef0u; }
static uint64_t is_all_ones(long n) { return is_0(n) + UINT64_MAX; }
static uint64_t is_low(long n) { return is_0(n) + 0x1000; }

/* lea 5000(%rdi),%rax; ret        addl $3,(%rdi); ret */
static const uint8_t far_value[] = { 0x48, 0x8d, 0x87, 0x88, 0x13, 0, 0, 0xc3 }, far_nothing[] = { 0x83, 0x07, 0x03, 0xc3 };

/* What a target is, and what a call site with a good address becomes; other kinds can't hold constants. */
enum expected { FUNCTION, FAR, NOTHING, CONSTANT, LARGE_CONSTANT };
struct target {
	const char *state;    /* NULL: the far function */
	enum expected what;
	uint64_t (*result)(long n);
	uint32_t constant;
};

static const struct target targets32[] = {
	{ "value32_a", FUNCTION, is_32a, 0 }, { "value32_b", FUNCTION, is_32b, 0 }, { NULL, FAR, is_far, 0 }, { "zero", CONSTANT, is_0, 0 },
	{ "seven", CONSTANT, is_7, 7 }, { "minus_two", CONSTANT, is_minus_two, 0xfffffffe },
};
static const struct target targets64[] = {
	{ "value64_a", FUNCTION, is_64a, 0 }, { "value64_b", FUNCTION, is_64b, 0 }, { NULL, FAR, is_far, 0 },
	{ "fits", CONSTANT, is_fits, 0xffffffff }, { "too_large", LARGE_CONSTANT, is_too_large, 0 },
	{ "all_ones", LARGE_CONSTANT, is_all_ones, 0 },
};
static const struct target targets_truth[] = {
	{ "truth_a", FUNCTION, is_odd, 0 }, { "truth_b", FUNCTION, is_even, 0 }, { "always", CONSTANT, is_1, 1 }, { "never", CONSTANT, is_0, 0 },
};
static const struct target targets_pointer[] = {
	{ "pointer_a", FUNCTION, is_text, 0 }, { "pointer_b", FUNCTION, is_n, 0 }, { NULL, FAR, is_far, 0 }, { "null", CONSTANT, is_0, 0 },
	{ "low", CONSTANT, is_low, 0x1000 },
};
static const struct target targets_nothing[] = {
	{ "noop_a", FUNCTION, is_1, 0 }, { "noop_b", FUNCTION, is_2, 0 }, { NULL, FAR, is_3, 0 }, { "null", NOTHING, is_0, 0 },
};

static const struct family {
	const char *name;
	struct relink_call *call;
	const struct site *sites;
	uint64_t (*reach)(const struct site *s, long n);
	const uint8_t *far_code;
	size_t far_size;
	const struct target *targets;
	size_t target_count;
} families[] = {
	{ "value32", &relink_call_value32, sites_value32, reach32, far_value, sizeof(far_value), targets32, COUNT(targets32) },
	{ "value64", &relink_call_value64, sites_value64, reach64, far_value, sizeof(far_value), targets64, COUNT(targets64) },
	{ "truth", &relink_call_truth, sites_truth, reach8, NULL, 0, targets_truth, COUNT(targets_truth) },
	{ "pointer", &relink_call_pointer, sites_pointer, reach64, far_value, sizeof(far_value), targets_pointer, COUNT(targets_pointer) },
	{ "noop", &relink_call_noop, sites_noop, reach_nothing, far_nothing, sizeof(far_nothing), targets_nothing,
	  COUNT(targets_nothing) },
};

static struct relink_error err;
static bool stores, all_sites;

/* ---- what a site holds ---- */

/* Why this site does not go straight to its target, by what the site and the target are. */
static int expected_reason(const struct relink_site_info *site, const struct target *t)
{
	if (site->kind != RELINK_SITE_TRAMPOLINE && !all_sites) {
		if (!one_store(site->kind, site->address))
			return RELINK_UNALIGNED;
		if (!stores)
			return RELINK_UNDECLARED;
	}
	if (t->what == FAR)
		return RELINK_OUT_OF_RANGE;
	if (t->what == NOTHING && site->kind == RELINK_SITE_JCC)
		return RELINK_BY_STUB;
	return RELINK_BOUND;
}

static bool holds_constant(const struct relink_site_info *site, const struct target *t)
{
	const uint8_t *bytes = (const uint8_t *)site->address;
	uint32_t constant;

	memcpy(&constant, bytes + 1, sizeof(constant));
	return site->kind == RELINK_SITE_CALL && bytes[0] == 0xb8 && constant == t->constant;
}

/* A constant that one store can't bring and take away again is left to the function that returns it. */
static bool must_hold_constant(const struct relink_site_info *site, const struct target *t)
{
	return t->what == CONSTANT && site->kind == RELINK_SITE_CALL && (all_sites || site->address % 8 <= 3);
}

static bool holds(const struct relink_site_info *site, const struct target *t, const struct relink_call *call)
{
	const uint8_t *bytes = (const uint8_t *)site->address;

	if (site->reason != RELINK_BOUND)
		return site->kind == RELINK_SITE_TRAMPOLINE ? bytes[0] == 0xa9
							    : destination(site->kind, bytes) == (uintptr_t)call->trampoline;
	if (t->what == NOTHING)
		return bytes[0] == (site->kind == RELINK_SITE_CALL ? 0xa9 : 0xc3);
	if (t->what == CONSTANT && holds_constant(site, t))
		return true;
	return !must_hold_constant(site, t) && destination(site->kind, bytes) == (uintptr_t)*call->slot;
}

struct look {
	const struct family *family;
	const struct target *target;
	size_t seen[RELINK_SITE_KINDS];
};

static int look_at(const struct relink_site_info *site, void *ctx)
{
	struct look *look = ctx;
	const uint8_t *b = (const uint8_t *)site->address;
	const char *state = look->target->state ? look->target->state : "far";

	if (strcmp(site->choice, look->family->name))
		return 0;
	look->seen[site->kind]++;
	CHECKF(site->reason == expected_reason(site, look->target), "%s=%s: %s at %lu mod 8 is %s", site->choice, state,
	       relink_site_kind_name(site->kind), site->address % 8, relink_reason_name(site->reason));
	CHECKF(holds(site, look->target, look->family->call), "%s=%s: %s at %lu mod 8 (%s) holds %02x %02x %02x %02x %02x %02x",
	       site->choice, state, relink_site_kind_name(site->kind), site->address % 8, relink_reason_name(site->reason), b[0], b[1],
	       b[2], b[3], b[4], b[5]);
	return 0;
}

static void check_bytes(const struct family *f, const struct target *t)
{
	struct look look = { f, t, { 0 } };

	CHECK(relink_each_site(look_at, &look) == 0);
	CHECKF(look.seen[RELINK_SITE_CALL] >= 8 && look.seen[RELINK_SITE_TAIL] >= 8 && look.seen[RELINK_SITE_JCC] == 128 &&
	       look.seen[RELINK_SITE_TRAMPOLINE] == 1, "%s: %zu calls, %zu tail calls, %zu conditional ones, %zu trampolines", f->name,
	       look.seen[RELINK_SITE_CALL], look.seen[RELINK_SITE_TAIL], look.seen[RELINK_SITE_JCC], look.seen[RELINK_SITE_TRAMPOLINE]);
}

/* ---- what a site does ---- */

static void check_results(const struct family *f, const struct target *t)
{
	static const long arguments[] = { 0, 1, 41 };

	for (size_t i = 0; i < SITES_COUNT; i++)
		for (size_t k = 0; k < COUNT(arguments); k++) {
			const struct site *s = &f->sites[i];
			uint64_t got = f->reach(s, arguments[k]), want = t->result(arguments[k]);

			CHECKF(got == want, "%s=%s: %s at %d mod 8 (condition %d): got %llx, want %llx", f->name,
			       t->state ? t->state : "far", relink_site_kind_name(s->kind), s->alignment, s->condition,
			       (unsigned long long)got, (unsigned long long)want);
		}
}

/* Where a conditional jump does not jump nothing happens, whatever the target is. */
static void check_not_taken(const struct family *f)
{
	for (size_t i = 0; i < SITES_COUNT; i++) {
		const struct site *s = &f->sites[i];
		int n = 5;

		if (s->kind != RELINK_SITE_JCC)
			continue;
		if (f->reach == reach_nothing)
			s->fn.nothing(&n, flags_for(s->condition, 0));
		else
			CHECK(s->fn.value(5, flags_for(s->condition, 0)) == SITE_NOT_TAKEN);
		CHECK(n == 5);
	}
}

/* ---- from target to target ---- */

static void set_target(const struct family *f, const struct target *t, void (*far)(void))
{
	struct relink_commit c = RELINK_COMMIT;

	if (t->state)
		relink_set(&c, f->name, t->state);
	else
		relink_wish_call(&c, f->call, far);
	CHECK_CODE(relink_commit(&c, MODE, &err), RELINK_OK, &err);
	check_results(f, t);
	check_bytes(f, t);
}

static void check_family(const struct family *f)
{
	void (*far)(void);

	*(void **)&far = f->far_code ? far_code(f->far_code, f->far_size) : NULL;
	if (!CHECKF(far || !f->far_code, "no memory far away"))
		return;
	check_results(f, &f->targets[0]);
	for (size_t from = 0; from < f->target_count; from++)
		for (size_t to = 0; to < f->target_count; to++) {
			set_target(f, &f->targets[from], far);
			if (to != from)
				set_target(f, &f->targets[to], far);
		}
	check_not_taken(f);
}

static void *sleep_for_ever(void *unused)
{
	for (;;)
		pause();
	return unused;
}

static void prepare(void)
{
#if defined(LIVE) || defined(TRAPS) || defined(STRICT)
	pthread_t thread;

	CHECK(!pthread_create(&thread, NULL, sleep_for_ever, NULL));
#else
	(void)sleep_for_ever;
#endif
#if defined(TRAPS)
	CHECK_CODE(relink_declare(RELINK_TRAPS, &err), RELINK_OK, &err);
#elif defined(STRICT)
	CHECK_CODE(relink_declare(RELINK_STRICT_XMC, &err), RELINK_OK, &err);
#endif
#if defined(TRAPS) || defined(STRICT)
	all_sites = true;
#endif
}

int main(void)
{
#ifndef UNDECLARED
	stores = check_allow_stores();
#endif
	prepare();
	for (size_t i = 0; i < COUNT(families); i++)
		check_family(&families[i]);
	return check_done();
}
