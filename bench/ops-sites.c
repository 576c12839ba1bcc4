/* SPDX-License-Identifier: MIT */
/* ops-sites.c - the fifty thousand calls. */
#include "ops.h"

#define TEN(f) f(); f(); f(); f(); f(); f(); f(); f(); f(); f();
#define HUNDRED(f) TEN(f) TEN(f) TEN(f) TEN(f) TEN(f) TEN(f) TEN(f) TEN(f) TEN(f) TEN(f)
#define THOUSAND(f) HUNDRED(f) HUNDRED(f) HUNDRED(f) HUNDRED(f) HUNDRED(f) HUNDRED(f) HUNDRED(f) HUNDRED(f) HUNDRED(f) HUNDRED(f)

#define SITES(ret, member, args) static __attribute__((noinline)) void call_##member(void) { THOUSAND(bench_##member) }
BENCH_OPS(SITES)

#define CALL(ret, member, args) call_##member();
void bench_call_all(void)
{
	BENCH_OPS(CALL)
}
