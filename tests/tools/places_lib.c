/* SPDX-License-Identifier: MIT */
#include "places.h"

static int plain(int x) { return x + 1; }
static int other(int x) { return x + 2; }
static int third(int x) { return x + 3; }

RELINK_DEFINE_CALL(lib_hash, plain, "of the library");
RELINK_VARIANT(lib_hash, other, .rank = -1);

RELINK_POINTER int (*lib_handler)(int x) = plain;
RELINK_POINTER struct codec lib_codec = { plain, third };
RELINK_POINTER_INFO(lib_codec, "a table with a record");
RELINK_POINTER static int (*on_event[4])(int x) = { plain, other, third, plain };

__attribute__((noinline)) static int tail(int x) { return lib_hash(x + 1); }
__attribute__((noinline)) static int pointer_tail(int x) { return on_event[1](x); }

int lib_work(int x)
{
	int n = lib_hash(x) + lib_hash(x + 1) + tail(x) + app_hash(x) + pointer_tail(x);

	n += lib_handler(x) + lib_codec.decode(x) + lib_codec.encode(n) + on_event[2](n);
	if (on_event[x & 3])
		n += on_event[x & 3](n);
	puts("work");
	return n;
}
