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

unsigned look_c(void), look_cc(void), look_lib(void), look_plugin(void);
int app_default(int x), app_flipped(int x);

static inline unsigned look_header(void)
{
	return (relink_unlikely(lib_key) ? 1u : 0u) | (relink_likely(app_key) ? 0u : 2u) | (app_call(3) == 6 ? 0u : 4u) |
	       (lib_call(3) == 9 ? 0u : 8u) | (relink_option_is(app_option, first) ? 0u : 16u) |
	       (relink_option_is(app_option, second) ? 32u : 0u);
}
#define LOOK_HEADER 63u

#ifdef __cplusplus
}
#endif

#endif
