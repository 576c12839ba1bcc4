/* SPDX-License-Identifier: MIT */
/*
 * Every place in which a key, an option or a call may stand, seen from several files. Each function returns one bit per
 * place; all bits are to be equal. Included by C and C++.
 */
#ifndef PLACES_H
#define PLACES_H

#include <relink/relink.h>

#ifdef __cplusplus
extern "C" {
#endif

RELINK_DECLARE_KEY(off);
RELINK_DECLARE_KEY_TRUE(on);
extern struct relink_key_false many[4];
struct device {
	int number;
	struct relink_key_false debug;
	struct relink_key_true fast;
};
extern struct device device;
/* Names that the macros' own must not collide with. */
RELINK_DECLARE_KEY(key);
RELINK_DECLARE_KEY(value);
RELINK_DECLARE_CALL(void, nothing, (int *p));
#define IDENTITY_OPS(op) op(void, nothing, (int *p))
RELINK_DECLARE_OPS(identity, IDENTITY_OPS);
RELINK_DECLARE_OPTION(idle, halt, poll, sleep);
RELINK_DECLARE_CALL(int, twice, (int x));
RELINK_DECLARE_CALL(void, hook, (int *p));
RELINK_DECLARE_IMMEDIATE(uint8_t, batch, 9);
RELINK_DECLARE_IMMEDIATE(int64_t, relink_v, -123456789012);
enum colour { red = 1, blue = 70000 };
RELINK_DECLARE_IMMEDIATE(enum colour, colour, blue);
RELINK_DECLARE_CALL(int, varied, (int x, const char *text));

struct rooms {
	long first, last;
};
#define HOUSE_DOORS(op) op(void, ring, (int *p)) op(void, lock, (void))
#define HOUSE_OPS(op) HOUSE_DOORS(op) op(long, same, (long n, const char *format, ...)) op(struct rooms, count, (struct rooms r)) op(int, two, (void))
RELINK_DECLARE_OPS(house, HOUSE_OPS);
extern const struct house_ops odd_house;

unsigned c_one(void), c_two(void), cc_one(void), cc_two(void);
int twice_add(int x), twice_odd(int x);

static inline unsigned in_header(void)
{
	unsigned seen = 0;

	if (relink_here(off, "a use"))
		seen |= 1;
	if (!relink_here_likely(on, "a likely use"))
		seen |= 2;
	if (relink_unlikely(off))
		seen |= 1;
	if (!relink_likely(on))
		seen |= 2;
	return seen;
}

/* Always inlined, several times into one function. */
static inline __attribute__((always_inline)) unsigned inlined(unsigned bit)
{
	return relink_unlikely(off) ? bit : 0;
}

/* clang-format off */
static inline unsigned one_line(void)
{
	unsigned seen = 0;
	if (relink_unlikely(off)) seen |= 1; if (!relink_likely(on)) seen |= 2; if (relink_likely(off)) seen |= 4;
	if (relink_unlikely(off) && relink_unlikely(off) && !relink_unlikely(on)) seen |= 8;
	seen |= relink_unlikely(off) ? (relink_likely(on) ? 0 : 16) : 0; return seen;
}
/* clang-format on */

static inline unsigned in_expressions(int n)
{
	unsigned seen = 0;
	int i;

	for (i = 0; i < n && (relink_unlikely(off) || relink_likely(off)); i++)
		seen |= 1;
	while (relink_unlikely_at(&off)) {
		seen |= 2;
		break;
	}
	switch (relink_likely_at(&on)) {
	case 0:
		seen |= 4;
	}
	do {
		seen |= 8;
		if (relink_unlikely(off))
			continue;
		seen &= ~8u;
	} while (0);
	if (n)
		if (relink_unlikely(off))
			seen |= 16;
		else
			seen &= ~16u;
	else
		seen = 0;
	return seen;
}

static inline unsigned in_data(void)
{
	unsigned seen = 0;

	seen |= relink_unlikely(many[0]) ? 1 : 0;
	seen |= relink_unlikely_at(&many[3]) ? 2 : 0;
	seen |= relink_unlikely(device.debug) ? 4 : 0;
	seen |= relink_likely_at(&device.fast) ? 0 : 8;
	seen |= relink_unlikely(key) ? 16 : 0;
	seen |= relink_likely(value) ? 32 : 0;
	return seen;
}

static inline unsigned in_options(void)
{
	unsigned seen = 0;

	seen |= relink_option_is(idle, halt) ? 0 : 1;
	seen |= relink_option_is(idle, poll) ? 2 : 0;
	seen |= relink_option_is(idle, sleep) ? 8 : 0;
	seen |= relink_option_state(idle) == RELINK_STATE(idle, poll) ? 4 : 0;
	return seen;
}

static inline unsigned in_calls(int n)
{
	unsigned seen = 0;

	seen |= twice(n) == 2 * n ? 0 : 1;
	seen |= twice(twice(n)) == 4 * n ? 0 : 2;
	seen |= relink_call_target(twice)(n) == 2 * n ? 0 : 4;
	n = 0;
	hook(&n);
	nothing(&n);
	identity_nothing(&n);
	return seen | (n ? 8 : 0);
}

static inline unsigned in_tables(int n)
{
	struct rooms r = { n, n + 1 };
	unsigned seen = 0;

	r = house_count(r);
	house_lock();
	seen |= r.first == n && r.last == n + 1 ? 0 : 1;
	seen |= house_same(n, "%d", 1) == n ? 2 : 0;
	seen |= house_two() == 2 ? 4 : 0;
	house_ring(&n);
	return seen | (n == 5 ? 8 : 0);
}

static inline __attribute__((always_inline)) unsigned inlined_number(unsigned bit)
{
	return relink_immediate(batch) == 9 ? 0 : bit;
}

static inline unsigned in_numbers(void)
{
	unsigned seen = 0, i;

	for (i = 0; i < relink_immediate(batch); i++)
		seen |= i == 200 ? 1 : 0;
	seen |= relink_immediate(relink_v) == -123456789012 ? 0 : 2;
	seen |= relink_immediate(colour) == blue ? 0 : 4;
	seen |= relink_immediate(batch) * relink_immediate(relink_v) + relink_immediate(batch) == 9 * -123456789012 + 9 ? 0 : 8;
	return seen | inlined_number(16) | inlined_number(32) | inlined_number(64);
}

static inline __attribute__((always_inline)) unsigned inlined_arm(unsigned bit)
{
	unsigned seen;

	RELINK_ALTERNATIVE("xorl %[seen], %[seen]", "movl %[bit], %[seen]", RELINK_WHEN_ON(off), RELINK_OUT([seen] "=&r"(seen)),
			   RELINK_IN([bit] "r"(bit)), RELINK_CLOBBERS("cc"));
	return seen;
}

static inline unsigned in_alternatives(int n)
{
	unsigned seen = 0;

	if (n)
		RELINK_ALTERNATIVE_2("orl $0, %[seen]", "orl $2, %[seen]", RELINK_WHEN_OFF(on), "orl $1, %[seen]", RELINK_WHEN_ON(idle.rest[0]),
				     RELINK_OUT([seen] "+r"(seen)), RELINK_IN(), RELINK_CLOBBERS("cc"));
	else
		RELINK_ALTERNATIVE_3("nop", "", RELINK_WHEN_HAS(avx2), "nop; nop", RELINK_WHEN_LACKS(avx2), "nop", RELINK_WHEN_ON(many[1]),
				     RELINK_OUT(), RELINK_IN(), RELINK_CLOBBERS());
	return seen | inlined_arm(2) | inlined_arm(4) | inlined_arm(8);
}

static inline unsigned in_functions(void)
{
	return (varied(5, "abc") == 8 ? 0 : 1) | (relink_call_target(varied)(5, "") == 5 ? 0 : 2);
}

static inline unsigned everything(void)
{
	static const unsigned all[] = { 3, 7, 31, 31, 63, 7, 15, 15, 127, RELINK_PATCHES_ ? 15 : 0, 3 };
	const unsigned seen[] = { in_header(),	inlined(1) | inlined(2) | inlined(4), one_line(), in_expressions(2),
				  in_data(),	in_options(),			      in_calls(21), in_tables(9),
				  in_numbers(), in_alternatives(1),		      in_functions() };
	unsigned bits = 0, i;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		bits |= (seen[i] == all[i] ? 1u : seen[i] == 0 ? 0u : 1u << 16) << i;
	return bits;
}
#define EVERYTHING 2047u

#ifdef __cplusplus
}
#endif

#endif
