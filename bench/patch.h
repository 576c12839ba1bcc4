/* SPDX-License-Identifier: MIT */
/* patch.h - the sequence, the number, the counter and the function that are measured, and what they are compared with. */
#ifndef BENCH_PATCH_H
#define BENCH_PATCH_H

#include <relink/relink.h>
#include <relink/atomic.h>
#include <relink/function.h>

#include "loops.h"

RELINK_DECLARE_SEQUENCE(bench_interrupt);
RELINK_DECLARE_IMMEDIATE(uint32_t, bench_number, 12345);
extern uint64_t bench_interrupts;
extern uint32_t bench_loaded;
void bench_store(uint64_t x);
extern void (*bench_store_pointer)(uint64_t x);

extern uint64_t bench_counter;

/* A function that does a little in one of several ways: compiled for one of them by hand, testing flags, and by relink. */
extern int bench_tracing, bench_how;
uint64_t bench_hand(uint64_t x), bench_tested(uint64_t x);
RELINK_DECLARE_CALL(uint64_t, bench_work, (uint64_t x));
#define BENCH_WORK(x, tracing, how) \
	do { \
		if (tracing) \
			bench_counter++; \
		(x) = (how) == 0 ? (x) * 3 + 1 : (how) == 1 ? (x) * 5 + 3 : (x) / 3 + 1; \
		if (tracing && (how) == 2) \
			(x) ^= bench_counter; \
	} while (0)

bench_loop dense_atomic_plain, dense_atomic_counted;
bench_loop dense_function_hand, dense_function_tested, dense_function_variant;
bench_loop dense_sequence_bare, dense_sequence_wrapped, dense_sequence_call, dense_sequence_pointer;
bench_loop dense_immediate_constant, dense_immediate_number, dense_immediate_loaded;

#endif
