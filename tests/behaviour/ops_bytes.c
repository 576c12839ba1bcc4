// test: VARIANTS "-DQUIET" "-DLIVE" "-DLIVE -DUNDECLARED" "-DTRAPS" "-DTRAPS -DUNDECLARED" "-DSTRICT" "-DLIVE -fPIC" "-DTRAPS -fcf-protection" NOT generic
/* SPDX-License-Identifier: MIT */
/*
 * What a member's call is in the code, by what the bound backend has in its place: a direct call, nothing, a constant or a move; for every
 * kind of site at every address modulo 8, from every backend to every other.
 *
 *	QUIET  nobody else runs    LIVE  another thread exists    TRAPS  int3: every site    STRICT  int3 for everything
 */
#include <pthread.h>

#include "check.h"
#include "calls/decode_x86_64.h"
#include "calls/sites_x86_64.h"

#define HW_OPS(op) \
	op(uint64_t, value, (long n)) \
	op(uint64_t, plus, (long n)) \
	op(uint64_t, same, (long n)) \
	op(void, hint, (int *n)) \
	op(int, small, (long n))
RELINK_DECLARE_OPS(hw, HW_OPS);
SITES(hw_value);
SITES(hw_plus);
SITES(hw_same);
SITES(hw_hint);
SITES(hw_small);

static uint64_t soft_value(long n) { return (uint64_t)n + 1000; }
static uint64_t soft_plus(long n) { return (uint64_t)n + 2000; }
static uint64_t soft_same(long n) { return (uint64_t)n + 3000; }
static void soft_hint(int *n) { *n += 4000; }
static int soft_small(long n) { return (int)n + 5000; }
static uint64_t hard_value(long n) { return (uint64_t)n + 1500; }
static uint64_t hard_plus(long n) { return (uint64_t)n + 2500; }
RELINK_OP_CONST(hw, plus, plus_fits, 0xfedcba98);
RELINK_OP_CONST(hw, value, value_large, 0x123456789a);
RELINK_OP_CONST(hw, small, small_minus, -2);

static const struct hw_ops soft_hw = { soft_value, soft_plus, soft_same, soft_hint, soft_small };
static const struct hw_ops hard_hw = {
	.value = hard_value, .plus = hard_plus, .same = RELINK_OP_IDENTITY(hw, same), .hint = RELINK_OP_NOP(hw, hint), .small = small_minus
};
static const struct hw_ops odd_hw = {
	.value = RELINK_OP_IDENTITY(hw, value), .plus = plus_fits, .same = NULL, .hint = soft_hint, .small = soft_small
};
static const struct hw_ops large_hw = {
	.value = value_large, .plus = RELINK_OP_IDENTITY(hw, plus), .same = soft_same, .hint = NULL, .small = NULL
};
RELINK_DEFINE_OPS(hw, HW_OPS, soft_hw, "hardware");
RELINK_BACKEND(hw, hard_hw, .rank = -1);
RELINK_BACKEND(hw, odd_hw, .rank = -1);

/* ---- what is expected ---- */

enum what { FUNCTION, NOTHING, CONSTANT, LARGE, IDENTITY, MISSING };

struct expected {
	enum what what;
	uintptr_t fn; /* FUNCTION */
	uint64_t constant, plus;
};

#define FN(f, n) { FUNCTION, (uintptr_t)f, 0, n }
static const struct backend {
	const char *name;
	const struct hw_ops *ops;
	struct expected members[5]; /* in the order of the sites below */
} backends[] = {
	{ "soft", &soft_hw, { FN(soft_value, 1000), FN(soft_plus, 2000), FN(soft_same, 3000), FN(soft_hint, 4000), FN(soft_small, 5000) } },
	{ "hard", &hard_hw, { FN(hard_value, 1500), FN(hard_plus, 2500), { IDENTITY, 0, 0, 0 }, { NOTHING, 0, 0, 0 },
			      { CONSTANT, 0, 0xfffffffe, 0 } } },
	{ "odd", &odd_hw, { { IDENTITY, 0, 0, 0 }, { CONSTANT, 0, 0xfedcba98, 0 }, { MISSING, 0, 0, 0 }, FN(soft_hint, 4000),
			    FN(soft_small, 5000) } },
	{ "large", &large_hw, { { LARGE, 0, 0x123456789a, 0 }, { IDENTITY, 0, 0, 0 }, FN(soft_same, 3000), { MISSING, 0, 0, 0 },
				{ MISSING, 0, 0, 0 } } },
};

static const struct member {
	const char *name;
	const struct site *sites;
	bool nothing, narrow;
} members[] = {
	{ "hw_value", sites_hw_value, false, false }, { "hw_plus", sites_hw_plus, false, false }, { "hw_same", sites_hw_same, false, false },
	{ "hw_hint", sites_hw_hint, true, false }, { "hw_small", sites_hw_small, false, true },
};

static struct relink_error err;
static bool stores, all_sites;
static unsigned long seen[RELINK_SITE_KINDS][MISSING + 1]; /* sites that hold exactly this */

/* ---- what a call does ---- */

static uint64_t expected_result(const struct member *m, const struct expected *e, long n)
{
	uint64_t r = 0;

	if (e->what == FUNCTION)
		r = (m->nothing ? 0 : (uint64_t)n) + e->plus;
	else if (e->what == IDENTITY)
		r = (uint64_t)n;
	else if (e->what == CONSTANT || e->what == LARGE)
		r = e->constant;
	return m->narrow ? (uint32_t)r : r;
}

static uint64_t reach(const struct member *m, const struct site *s, long n)
{
	int count = 0;

	if (m->nothing) {
		s->fn.nothing(&count, flags_for(s->condition, 1));
		return (uint64_t)count;
	}
	return m->narrow ? (uint32_t)site_reach(s, n) : (uint64_t)site_reach(s, n);
}

static void check_results(const struct backend *b)
{
	for (size_t i = 0; i < COUNT(members); i++)
		for (size_t k = 0; k < SITES_COUNT; k++) {
			const struct site *s = &members[i].sites[k];
			long n = 0x7654321000 + (long)k;
			uint64_t got = reach(&members[i], s, n), want = expected_result(&members[i], &b->members[i], n);

			CHECKF(got == want, "%s of %s, kind %d at %d: %#llx, not %#llx", members[i].name, b->name, s->kind, s->alignment,
			       (unsigned long long)got, (unsigned long long)want);
		}
}

/* ---- what a site holds ---- */

/* An instruction of its own needs a call whose five bytes can be exchanged. */
static bool has_instruction(const struct relink_site_info *site, enum what what)
{
	if (what == NOTHING)
		return site->kind != RELINK_SITE_JCC;
	return (what == CONSTANT || what == IDENTITY) && site->kind == RELINK_SITE_CALL && (all_sites || site->address % 8 <= 3);
}

static bool holds(const struct relink_site_info *site, const struct expected *e)
{
	static const uint8_t move[] = { 0x66, 0x66, 0x48, 0x89, 0xf8 };
	const uint8_t *bytes = (const uint8_t *)site->address;
	uint32_t operand;

	memcpy(&operand, bytes + 1, sizeof(operand));
	if (!has_instruction(site, e->what))
		return e->what == FUNCTION ? destination(site->kind, bytes) == e->fn : destination(site->kind, bytes) != 0;
	if (e->what == NOTHING)
		return bytes[0] == (site->kind == RELINK_SITE_CALL ? 0xa9 : 0xc3);
	return e->what == IDENTITY ? !memcmp(bytes, move, sizeof(move)) : bytes[0] == 0xb8 && operand == (uint32_t)e->constant;
}

static int check_site(const struct relink_site_info *site, void *ctx)
{
	const struct backend *b = ctx;
	const uint8_t *bytes = (const uint8_t *)site->address;
	const struct expected *e;
	size_t i = 0;

	while (i < COUNT(members) && strcmp(site->choice, members[i].name))
		i++;
	if (i == COUNT(members))
		return 0;
	e = &b->members[i];
	if (site->reason != RELINK_BOUND) {
		bool may_wait = !all_sites && (!one_store(site->kind, site->address) || !stores);

		CHECKF(may_wait || (e->what == NOTHING && site->kind == RELINK_SITE_JCC && site->reason == RELINK_BY_STUB),
		       "%s of %s, %s at %d: %s", site->choice, b->name, relink_site_kind_name(site->kind), (int)(site->address % 8),
		       relink_reason_name(site->reason));
		return 0;
	}
	CHECKF(holds(site, e), "%s of %s, %s at %d: %02x %02x %02x %02x %02x", site->choice, b->name, relink_site_kind_name(site->kind),
	       (int)(site->address % 8), bytes[0], bytes[1], bytes[2], bytes[3], bytes[4]);
	if (has_instruction(site, e->what) || e->what == FUNCTION)
		seen[site->kind][e->what]++;
	return 0;
}

static void bind(const struct backend *b)
{
	CHECK_CODE(relink_bind_ops(hw, b->ops, &err), RELINK_OK, &err);
	check_results(b);
	CHECK(relink_each_site(check_site, (void *)(uintptr_t)b) == 0);
}

/* Every way to bind was seen, not only waited for. */
static void check_seen(void)
{
	CHECK(seen[RELINK_SITE_TRAMPOLINE][FUNCTION] && seen[RELINK_SITE_TRAMPOLINE][NOTHING]);
	for (int kind = RELINK_SITE_CALL; kind <= RELINK_SITE_JCC && (stores || all_sites); kind++)
		CHECKF(seen[kind][FUNCTION], "no %s is bound to a function", relink_site_kind_name(kind));
	if (!stores && !all_sites)
		return;
	CHECK(seen[RELINK_SITE_CALL][NOTHING] && seen[RELINK_SITE_CALL][CONSTANT] && seen[RELINK_SITE_CALL][IDENTITY]);
	CHECK(seen[RELINK_SITE_TAIL][NOTHING]);
}

static pthread_barrier_t ends;
__attribute__((unused)) static void *wait_for_end(void *unused)
{
	pthread_barrier_wait(&ends);
	return unused;
}

int main(void)
{
	pthread_t other;

	(void)other;
#ifndef UNDECLARED
	stores = check_allow_stores();
#endif
#if defined(TRAPS) || defined(STRICT)
#ifdef STRICT
	int r = relink_declare(RELINK_STRICT_XMC, &err);
#else
	int r = relink_declare(RELINK_TRAPS, &err);
#endif
	if (r == RELINK_E_WRITE)
		check_skip("code can't be written here");
	CHECK_CODE(r, RELINK_OK, &err);
	all_sites = true;
#endif
#ifndef QUIET
	pthread_barrier_init(&ends, NULL, 2);
	CHECK(pthread_create(&other, NULL, wait_for_end, NULL) == 0);
#endif
	for (size_t from = 0; from < COUNT(backends); from++)
		for (size_t to = 0; to < COUNT(backends); to++) {
			bind(&backends[from]);
			bind(&backends[to]);
		}
	CHECK_CODE(relink_unbind_ops(hw, &err), RELINK_OK, &err);
	check_results(&backends[0]);
	check_seen();
#ifndef QUIET
	pthread_barrier_wait(&ends);
	pthread_join(other, NULL);
#endif
	return check_done();
}
