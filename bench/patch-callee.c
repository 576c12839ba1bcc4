/* SPDX-License-Identifier: MIT */
/* patch-callee.c - the same work as functions, in a file of their own so that they are called. */
#include "patch.h"

void bench_store(uint64_t x)
{
	__atomic_store_n(&bench_interrupts, x, __ATOMIC_RELAXED);
}

int bench_tracing, bench_how = 1;

__attribute__((aligned(64))) uint64_t bench_hand(uint64_t x)
{
	BENCH_WORK(x, 0, 1);
	return x;
}

__attribute__((aligned(64))) uint64_t bench_tested(uint64_t x)
{
	BENCH_WORK(x, bench_tracing, bench_how);
	return x;
}

RELINK_KEY_FALSE(bench_trace, "read by the function that is measured");
RELINK_OPTION_FINAL(bench_way, "read by the function that is measured", none, one, two);

RELINK_FUNCTION(bench_work, (uint64_t x), (x), "what is measured",
		(RELINK_READS_KEY(bench_trace, tracing), RELINK_READS_OPTION(bench_way, how)),
		RELINK_FOR(RELINK_IS_OFF(bench_trace), RELINK_IS(bench_way, one)))
{
	BENCH_WORK(x, tracing, how);
	return x;
}

void (*bench_store_pointer)(uint64_t x) = bench_store;
