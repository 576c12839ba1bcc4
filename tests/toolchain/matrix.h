/* SPDX-License-Identifier: MIT */
/*
 * One small program: C and C++, a shared object that holds a key and a call, a plugin. Each look_*() returns one bit per
 * place, all clear by default and all set once everything is flipped.
 */
#ifndef MATRIX_H
#define MATRIX_H

#include <relink/relink.h>

#ifdef __cplusplus
extern "C" {
#endif

RELINK_DECLARE_KEY(lib_key);
RELINK_DECLARE_CALL(int, lib_call, (int x));
RELINK_DECLARE_KEY_TRUE(app_key);
RELINK_DECLARE_CALL(int, app_call, (int x));
RELINK_DECLARE_CALL(void, app_hook, (unsigned *seen));
RELINK_DECLARE_OPTION(app_option, first, second, third);

RELINK_DECLARE_IMMEDIATE(uint16_t, app_number, 40000);
RELINK_DECLARE_IMMEDIATE(int64_t, lib_number, -5000000000);

unsigned look_c(void), look_cc(void), look_lib(void), look_plugin(void);
int app_default(int x), app_flipped(int x);

/* Arms with an address and a jump in them; the last one is there once all is flipped. */
static inline unsigned look_alternative(void)
{
	unsigned seen;

	RELINK_ALTERNATIVE_2("movl app_zero(%%rip), %[seen]", "movl $8, %[seen]", RELINK_WHEN_HAS(never),
			     "movl $7, %[seen]; 1: decl %[seen]; cmpl $1, %[seen]; ja 1b", RELINK_WHEN_OFF(app_key),
			     RELINK_OUT([seen] "=r"(seen)), RELINK_IN(), RELINK_CLOBBERS("cc"));
	return seen;
}

static inline unsigned look_header(void)
{
	return (relink_unlikely(lib_key) ? 1u : 0u) | (relink_likely(app_key) ? 0u : 2u) | (app_call(3) == 6 ? 0u : 4u) |
	       (lib_call(3) == 9 ? 0u : 8u) | (relink_option_is(app_option, first) ? 0u : 16u) |
	       (relink_option_is(app_option, second) ? 32u : 0u) | (relink_immediate(app_number) == 40000 ? 0u : 1u << 16) |
	       (relink_immediate(lib_number) == -5000000000 ? 0u : 1u << 17) | look_alternative() << 18 |
	       (relink_here(lib_key, "a use") ? 1u << 19 : 0u) | (relink_here_likely(app_key, "a likely use") ? 0u : 1u << 20);
}
#define LOOK_HEADER (63u | 31u << 16)

#ifdef __cplusplus
}
#endif

#endif
