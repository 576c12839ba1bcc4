/* SPDX-License-Identifier: MIT */
/* branch-loops.c - sixteen branches of each kind in a row, each in front of the fixed body. */
#include "branch.h"
#include "loops.h"

#define NONE(x) BENCH_BODY(x)
#define KEY(x) if (relink_unlikely(bench_key)) BENCH_COLD(x) BENCH_BODY(x)
#define USE(x) if (relink_here(bench_key, "a use")) BENCH_COLD(x) BENCH_BODY(x)
#define FLAG(x) if (__builtin_expect(bench_flag, 0)) BENCH_COLD(x) BENCH_BODY(x)

/* Ten cycles of latency, each instruction waiting for the one before; chain.py uses the same six. What is in memory may
 * have changed, so the flag is loaded every time. */
#define BENCH_HALF "imul %1, %0\n\tror $17, %0\n\txor %1, %0\n\t"
#define BENCH_BODY(x) \
	__asm__ volatile(BENCH_HALF BENCH_HALF : "+r"(x) : "r"(BENCH_FACTOR) : "cc", "memory");
/* What stands behind the branch, out of line. */
#define BENCH_COLD(x) \
	__asm__ volatile("add $1, %0" : "+r"(x) : : "cc", "memory");

BENCH_LOOP(dense_branch_none, NONE)
BENCH_LOOP(dense_branch_key, KEY)
BENCH_LOOP(dense_branch_use, USE)
BENCH_LOOP(dense_branch_flag, FLAG)
