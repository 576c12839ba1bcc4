/* SPDX-License-Identifier: MIT */
/* call-loop-retpoline.c - the pointer call again; the build compiles this file with retpolines. */
#include "callee.h"
#include "loops.h"

#define POINTER(x) x = bench_pointer(x);

BENCH_LOOP(dense_call_retpoline, POINTER)
