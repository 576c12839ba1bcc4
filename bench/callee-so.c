/* SPDX-License-Identifier: MIT */
/* callee-so.c - the callee in a shared object, reached through the procedure linkage table. */
#include "callee.h"

__attribute__((noinline, aligned(64))) uint64_t bench_plt(uint64_t x)
{
	return BENCH_CALLEE_BODY(x);
}
