/* SPDX-License-Identifier: MIT */
#include "subject.h"

RELINK_KEY_FALSE(lib_key, "a key of the shared object");
RELINK_IMMEDIATE(int64_t, lib_number, -5000000000, "a number of the shared object");

static int lib_plain(int x)
{
	return (int)(3u * (unsigned)x);
}

static int lib_other(int x)
{
	return (int)(3u * (unsigned)x + 1);
}

RELINK_DEFINE_CALL(lib_call, lib_plain, "a call of the shared object");
RELINK_VARIANT(lib_call, lib_other, .rank = -1);

RELINK_POINTER int (*lib_pointer)(int) = lib_plain;
RELINK_POINTER static int (*lib_hidden[2])(int) = { lib_plain, lib_other };
RELINK_POINTER_INFO(lib_hidden, "an array of the shared object", RELINK_FINAL);

__attribute__((noinline)) static int lib_tail(int x)
{
	return lib_call((int)((unsigned)x + 1));
}

int lib_look(int x)
{
	unsigned n = relink_unlikely(lib_key) ? 1 : 0;

	if (relink_here(lib_key, "a use of the shared object"))
		n++;
	if (lib_pointer)
		x = lib_pointer(x & 0xff) + lib_hidden[1](x & 0xff) + lib_hidden[x & 1](x & 0xff);
	return (int)(n + (unsigned)lib_call(x) + (unsigned)lib_tail(x) + (unsigned)relink_immediate(lib_number));
}
