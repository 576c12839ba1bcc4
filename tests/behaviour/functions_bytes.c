/* test: VARIANTS "-O2" "-O2 -fPIC" "-Os" NOT generic address undefined thread */
/* SPDX-License-Identifier: MIT */
/*
 * functions_bytes.c - golden code: a variant has the bytes of the function that a person would have specialised by hand, and once
 * every site may be rewritten, calls of it are direct ones.
 */
#include "check.h"
#include "calls/decode_x86_64.h"

RELINK_KEY_FALSE(trace, "a key");
RELINK_OPTION(mode, "an option", slow, fast, odd);
RELINK_IMMEDIATE(int, depth, 2, "a number");

RELINK_DECLARE_CALL(int, work, (const int *list, int n));

#define BODY(tracing, how, levels) \
	{ \
		int sum = 0; \
		if (tracing) \
			return -1; \
		for (int i = 0; i < n; i += (levels)) \
			sum += (how) == 1 ? list[i] : (how) == 2 ? list[i] * list[i] : 3; \
		return sum; \
	}

/* In sections of their own, so that their bytes are known to the last. */
#define BY_HAND(number) \
	extern const uint8_t __start_golden_by_hand_##number[], __stop_golden_by_hand_##number[]; \
	__attribute__((section("golden_by_hand_" #number))) static int by_hand_##number(const int *list, int n)
BY_HAND(0) BODY(0, 1, 4)
BY_HAND(1) BODY(0, 2, 1)
BY_HAND(2) BODY(1, 0, 7)

RELINK_FUNCTION(work, (const int *list, int n), (list, n), "of what may be specialised much is left out",
		(RELINK_READS_KEY(trace, tracing), RELINK_READS_OPTION(mode, how), RELINK_READS_NUMBER(depth, levels)),
		RELINK_FOR(RELINK_IS_OFF(trace), RELINK_IS(mode, fast), RELINK_IS_NUMBER(depth, 4)),
		RELINK_FOR(RELINK_IS_OFF(trace), RELINK_IS(mode, odd), RELINK_IS_NUMBER(depth, 1)),
		RELINK_FOR(RELINK_IS_ON(trace), RELINK_IS(mode, slow), RELINK_IS_NUMBER(depth, 7)))
BODY(tracing, how, levels)

static const struct {
	bool tracing;
	int how, levels;
	relink_fn_work *by_hand;
	const uint8_t *start, *stop;
} cases[] = {
	{ false, 1, 4, by_hand_0, __start_golden_by_hand_0, __stop_golden_by_hand_0 },
	{ false, 2, 1, by_hand_1, __start_golden_by_hand_1, __stop_golden_by_hand_1 },
	{ true, 0, 7, by_hand_2, __start_golden_by_hand_2, __stop_golden_by_hand_2 },
};

static struct relink_error err;

static int commit_case(size_t n)
{
	struct relink_commit c = RELINK_COMMIT;

	relink_set_key(&c, trace, cases[n].tracing);
	relink_wish_option(&c, &mode.option, cases[n].how);
	relink_set_immediate(&c, depth, cases[n].levels);
	return relink_commit(&c, RELINK_LIVE, &err);
}

static void check_bytes(size_t n)
{
	const uint8_t *compiled = (const uint8_t *)(uintptr_t)relink_call_target(work);
	size_t length = (size_t)(cases[n].stop - cases[n].start);

	CHECKF(length > 3 && length < 4096, "%zu bytes", length);
	CHECKF(compiled != cases[n].start && !memcmp(compiled, cases[n].start, length), "case %zu: other bytes, of %zu", n, length);
}

static int check_site(const struct relink_site_info *site, void *ctx)
{
	const uint8_t *code = (const uint8_t *)site->address;
	int32_t displacement;

	if (strcmp(site->choice, "work") || site->kind != RELINK_SITE_CALL)
		return 0;
	++*(unsigned *)ctx;
	memcpy(&displacement, code + 1, 4);
	CHECKF(code[0] == 0xe8 && site->address + 5 + (uintptr_t)(intptr_t)displacement == (uintptr_t)relink_call_target(work),
	       "the call at %#lx is not a direct one of the variant", site->address);
	return 0;
}

static __attribute__((noinline)) int callers(const int *list)
{
	return work(list, 8) + 2 * work(list + 1, 7) + 3 * work(list, 5) + 5;
}

int main(void)
{
	static const int list[] = { 1, 20, 300, 4000, 50000, 600000, 7, 8 };
	struct relink_status status = { .size = sizeof(status) };

	if (relink_get_status(&status) || strncmp(status.mode, "direct", 6))
		check_skip(status.mode);
	CHECK_CODE(relink_declare(RELINK_TRAPS, &err), RELINK_OK, &err);
	for (size_t n = 0; n < COUNT(cases); n++) {
		unsigned sites = 0;

		CHECK_CODE(commit_case(n), RELINK_OK, &err);
		check_bytes(n);
		CHECK(relink_each_site(check_site, &sites) == 0);
		CHECKF(sites >= 3, "%u sites", sites);
		CHECK(callers(list) == cases[n].by_hand(list, 8) + 2 * cases[n].by_hand(list + 1, 7) + 3 * cases[n].by_hand(list, 5) + 5);
	}
	return check_done();
}
