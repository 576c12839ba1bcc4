/* SPDX-License-Identifier: MIT */
/* callee.c - the callee, the ways to it that need no relink, and the static call that is defined next to its target. */
#include "callee.h"
#include "static-call.h"

__attribute__((noinline, aligned(4096))) uint64_t bench_direct(uint64_t x)
{
	return BENCH_CALLEE_BODY(x);
}

/* In the page of its target, but not in its cache line, as it comes out with functions of ordinary size. */
__asm__(".pushsection .text.relink.bench_static,\"ax\",@progbits\n\t.skip 128, 0xcc\n\t.popsection");

RELINK_DEFINE_CALL(bench_static, bench_direct, "a call that is measured", RELINK_FINAL);

uint64_t (*bench_pointer)(uint64_t) = bench_direct;

__attribute__((used)) static uint64_t (*bench_resolve(void))(uint64_t)
{
	return bench_direct;
}

uint64_t bench_ifunc(uint64_t x) __attribute__((ifunc("bench_resolve")));
