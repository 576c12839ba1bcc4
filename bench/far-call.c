/* SPDX-License-Identifier: MIT */
/* far-call.c - a static call whose trampoline has two pages between itself and its target. */
#include "callee.h"
#include "static-call.h"

__asm__(".pushsection .text.relink.bench_far,\"ax\",@progbits\n\t.skip 8192, 0xcc\n\t.popsection");

RELINK_DEFINE_CALL(bench_far, bench_direct, "a call that is measured", RELINK_FINAL);
