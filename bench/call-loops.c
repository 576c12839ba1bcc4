/* SPDX-License-Identifier: MIT */
/* call-loops.c - sixteen calls of each kind in a row, as a compiler writes them. */
#include "callee.h"
#include "loops.h"
#include "static-call.h"

#define DIRECT(x) x = bench_direct(x);
#define STATIC(x) x = bench_static(x);
#define FAR(x) x = bench_far(x);
#define POINTER(x) x = bench_pointer(x);
#define PLT(x) x = bench_plt(x);
#define IFUNC(x) x = bench_ifunc(x);

BENCH_LOOP(dense_call_direct, DIRECT)
BENCH_LOOP(dense_call_static, STATIC)
BENCH_LOOP(dense_call_far, FAR)
BENCH_LOOP(dense_call_pointer, POINTER)
BENCH_LOOP(dense_call_plt, PLT)
BENCH_LOOP(dense_call_ifunc, IFUNC)
