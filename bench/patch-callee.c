/* SPDX-License-Identifier: MIT */
/* patch-callee.c - the same work as a function, in a file of its own so that it is called. */
#include "patch.h"

void bench_store(uint64_t x)
{
	__atomic_store_n(&bench_interrupts, x, __ATOMIC_RELAXED);
}

void (*bench_store_pointer)(uint64_t x) = bench_store;
