/* SPDX-License-Identifier: MIT */
#include "matrix.h"

RELINK_KEY_FALSE(lib_key, "a key of the shared object");
RELINK_IMMEDIATE(int64_t, lib_number, -5000000000, "a number of the shared object");
__attribute__((visibility("hidden"), used)) unsigned app_zero;

static int lib_default(int x)
{
	return 3 * x;
}

static int lib_flipped(int x)
{
	return 3 * x + 1;
}

RELINK_DEFINE_CALL(lib_call, lib_default, "a call of the shared object");
RELINK_VARIANT(lib_call, lib_flipped, .rank = -1);

__attribute__((noinline)) int lib_tail(int x)
{
	return lib_call(x + 1);
}

unsigned look_lib(void)
{
	return look_header() | (lib_tail(4) == 15 ? 0u : 64u);
}
