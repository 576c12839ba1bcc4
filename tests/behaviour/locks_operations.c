/* test: LOCKS VARIANTS "-O0" "-O2" "-O2 -fPIC" */
/* SPDX-License-Identifier: MIT */
/*
 * locks_operations.c - every atomic operation on every width, with and without its prefix, against ordinary
 * arithmetic.
 */
#include "locks/locks.h"

static uint64_t state = 88172645463325252u;

static uint64_t random_number(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

/* One function per type; `x` is what plain C makes of it. */
#define OPERATIONS(type, bits) \
	static __attribute__((noinline)) void operations_##bits(type *p, uint64_t random) \
	{ \
		type v = (type)random, x = *p, old, expected; \
		unsigned nr = (unsigned)(random >> 40); \
		const type bit = (type)((u##type)1 << (nr & (8 * sizeof(type) - 1))); \
		const bool was = (x & bit) != 0; \
		switch (random >> 56 & 31) { \
		case 0: relink_atomic_add(p, v); CHECK(*p == (type)((u##type)x + (u##type)v)); break; \
		case 1: relink_atomic_sub(p, v); CHECK(*p == (type)((u##type)x - (u##type)v)); break; \
		case 2: relink_atomic_and(p, v); CHECK(*p == (x & v)); break; \
		case 3: relink_atomic_or(p, v); CHECK(*p == (x | v)); break; \
		case 4: relink_atomic_xor(p, v); CHECK(*p == (x ^ v)); break; \
		case 5: relink_atomic_inc(p); CHECK(*p == (type)((u##type)x + 1)); break; \
		case 6: relink_atomic_dec(p); CHECK(*p == (type)((u##type)x - 1)); break; \
		case 7: CHECK(relink_atomic_fetch_add(p, v) == x && *p == (type)((u##type)x + (u##type)v)); break; \
		case 8: CHECK(relink_atomic_fetch_sub(p, v) == x && *p == (type)((u##type)x - (u##type)v)); break; \
		case 9: *p = 1 + (v & 1); CHECK(relink_atomic_dec_and_test(p) == !(v & 1)); break; \
		case 10: *p = v + (type)(nr & 1); CHECK(relink_atomic_sub_and_test(p, v) == !(nr & 1)); break; \
		case 11: CHECK(relink_atomic_test_and_set_bit(p, nr) == was && *p == (x | bit)); break; \
		case 12: CHECK(relink_atomic_test_and_clear_bit(p, nr) == was && *p == (x & ~bit)); break; \
		case 13: CHECK(relink_atomic_test_and_change_bit(p, nr) == was && *p == (x ^ bit)); break; \
		case 14: CHECK(relink_atomic_cmpxchg(p, x, v) == x && *p == v); break; \
		case 15: old = x ^ 1; CHECK(relink_atomic_cmpxchg(p, old, v) == x && *p == x); break; \
		case 16: expected = x; CHECK(relink_atomic_try_cmpxchg(p, &expected, v) && *p == v && expected == x); break; \
		case 17: expected = ~x; CHECK(!relink_atomic_try_cmpxchg(p, &expected, v) && *p == x && expected == x); break; \
		case 18: CHECK(relink_atomic_exchange(p, v) == x && *p == v); break; \
		case 19: relink_atomic_store(p, v); CHECK(relink_atomic_load(p) == v); break; \
		case 20: *p = (type)(nr % 3); CHECK(relink_ref_get_unless_zero(p) == (nr % 3 != 0) && *p == (type)(nr % 3 ? nr % 3 + 1 : 0)); break; \
		case 21: *p = 1; relink_ref_get(p); CHECK(!relink_ref_put(p) && relink_ref_put(p) && *p == 0); break; \
		case 22: relink_atomic_add_shared(p, v); CHECK(*p == (type)((u##type)x + (u##type)v)); break; \
		case 23: relink_atomic_sub_shared(p, v); CHECK(*p == (type)((u##type)x - (u##type)v)); break; \
		case 24: CHECK(relink_atomic_test_and_set_bit_shared(p, nr) == was && *p == (x | bit)); break; \
		case 25: CHECK(relink_atomic_test_and_clear_bit_shared(p, nr) == was && *p == (x & ~bit)); break; \
		case 26: CHECK(relink_atomic_test_and_change_bit_shared(p, nr) == was && *p == (x ^ bit)); break; \
		case 27: CHECK(relink_atomic_cmpxchg_shared(p, x, v) == x && *p == v); break; \
		case 28: expected = ~x; CHECK(!relink_atomic_try_cmpxchg_shared(p, &expected, v) && expected == x); break; \
		case 29: *p = 1; relink_ref_get_shared(p); CHECK(!relink_ref_put_shared(p) && relink_ref_put_shared(p)); break; \
		case 30: relink_atomic_inc_shared(p); relink_atomic_dec_shared(p); CHECK(*p == x); break; \
		default: relink_atomic_and_shared(p, v); relink_atomic_or_shared(p, x); relink_atomic_xor_shared(p, v); \
			CHECK(*p == (((x & v) | x) ^ v)); \
		} \
	}
typedef unsigned int uint;
typedef unsigned long ulong;
typedef long long longer;
typedef unsigned long long ulonger;
OPERATIONS(int, int)
OPERATIONS(long, long)
OPERATIONS(longer, longer)

static void all_operations(void)
{
	int a = 0;
	long b = 0;
	longer c = 0;

	for (int i = 0; i < 20000; i++) {
		operations_int(&a, random_number());
		operations_long(&b, random_number());
		operations_longer(&c, random_number());
	}
}

/* A list's head. */
static void test_pointers(void)
{
	struct node { struct node *next; } a = { NULL }, b = { NULL }, *head = NULL, *old = &b;
	void *any = &a;

	CHECK(!relink_atomic_try_cmpxchg(&head, &old, &a) && !old && !head);
	CHECK(relink_atomic_try_cmpxchg(&head, &old, &a) && head == &a);
	CHECK(relink_atomic_cmpxchg(&head, &a, &b) == &a && head == &b);
	CHECK(relink_atomic_cmpxchg(&any, (void *)&a, NULL) == &a && !any);
	CHECK(relink_atomic_cmpxchg_shared(&head, &b, &a) == &b && relink_atomic_load(&head) == &a);
}

/* What a value is converted to, and how often an argument is looked at. */
static void test_conversions(void)
{
	unsigned u = 5, many[4] = { 0, 0, 0, 0 }, *at = many;
	long l = 5;
	unsigned long ul = 0;
	volatile int v = 1;
	int n = 0;

	relink_atomic_add(&l, -1);
	CHECK(l == 4);
	relink_atomic_sub(&u, -1);
	CHECK(u == 6);
	relink_atomic_or(&ul, 0xffffffffu);
	CHECK(ul == 0xffffffffu);
	relink_atomic_add(&ul, 0x123456789abcdef0);
	CHECK(ul == 0x123456789abcdef0 + 0xffffffffu);
	relink_atomic_inc(&v);
	CHECK(v == 2);
	relink_atomic_inc(at++);
	relink_atomic_add(at++, ++n);
	CHECK(relink_atomic_fetch_add(at++, ++n) == 0 && !relink_atomic_test_and_set_bit(at++, ++n));
	CHECK(at == many + 4 && n == 3 && many[0] == 1 && many[1] == 1 && many[2] == 2 && many[3] == 8);
}

/* ---- bytes ---- */

static struct { uintptr_t address; unsigned char bytes[12]; } sites[4096];
static size_t site_count;

static int note_site(const struct relink_site_info *site, void *ctx)
{
	(void)ctx;
	if (site->kind == RELINK_SITE_LOCK && site_count < COUNT(sites)) {
		sites[site_count].address = site->address;
		memcpy(sites[site_count++].bytes, (const void *)site->address, sizeof(sites[0].bytes));
	}
	return 0;
}

/* Is that an instruction that can have the prefix? add or sub and xor, inc dec, xadd, cmpxchg, bts btr btc: on memory. */
static bool is_lockable(const unsigned char *code)
{
	unsigned reg;

	if ((*code & 0xf0) == 0x40)
		code++;
	reg = code[code[0] == 0x0f ? 2 : 1];
	if (reg >> 6 == 3)
		return false;
	reg = reg >> 3 & 7;
	switch (*code) {
	case 0x01: case 0x09: case 0x21: case 0x29: case 0x31:
		return true;
	case 0x81: case 0x83:
		return reg == 0 || reg == 1 || reg == 4 || reg == 5 || reg == 6;
	case 0xff:
		return reg < 2;
	case 0x0f:
		return code[1] == 0xc1 || code[1] == 0xb1 || code[1] == 0xab || code[1] == 0xb3 || code[1] == 0xbb ||
		       (code[1] == 0xba && reg >= 5);
	}
	return false;
}

static void test_bytes(void)
{
	CHECKF(site_count > 60, "%zu sites", site_count);
	for (size_t i = 0; i < site_count; i++) {
		const unsigned char *now = (const unsigned char *)sites[i].address;

		CHECKF(sites[i].bytes[0] == UNLOCKED && now[0] == LOCKED, "site %zu: %02x then %02x", i, sites[i].bytes[0], now[0]);
		CHECKF(is_lockable(now + 1), "site %zu: %02x %02x %02x %02x", i, now[0], now[1], now[2], now[3]);
		for (int k = 1; k < 3; k++) /* the shortest has three bytes */
			CHECK(now[k] == sites[i].bytes[k]);
	}
}

int main(void)
{
	struct relink_error err;

	test_conversions();
	test_pointers();
	all_operations();
	locks_need_sites();
	CHECKF(all_unlocked(), "%s", locks_say());
	CHECK_HAS(locks_say(), "off: ");
	relink_each_site(note_site, NULL);
	CHECK_CODE(relink_threads_begin(&err), RELINK_OK, &err);
	CHECKF(all_locked(), "%s", locks_say());
	CHECK_HAS(locks_say(), "on: ");
	test_bytes();
	test_conversions();
	test_pointers();
	all_operations();
	CHECK_CODE(relink_threads_ended(&err), RELINK_OK, &err);
	CHECK(all_unlocked());
	return check_done();
}
