/* SPDX-License-Identifier: MIT */
#include "subject.h"

RELINK_KEY_FALSE(lib_key, "a key of the shared object");
RELINK_IMMEDIATE(int64_t, lib_number, -5000000000, "a number of the shared object");

static int lib_plain(int x)
{
	return 3 * x;
}

static int lib_other(int x)
{
	return 3 * x + 1;
}

RELINK_DEFINE_CALL(lib_call, lib_plain, "a call of the shared object");
RELINK_VARIANT(lib_call, lib_other, .rank = -1);

__attribute__((noinline)) static int lib_tail(int x)
{
	return lib_call(x + 1);
}

int lib_look(int x)
{
	return (relink_unlikely(lib_key) ? 1 : 0) + lib_call(x) + lib_tail(x) + (int)relink_immediate(lib_number);
}
