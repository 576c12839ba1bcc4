/* SPDX-License-Identifier: MIT */
/* patch-loops.c - sixteen of each kind in a row: an interrupt flag that is written, a number that is added, a counter, a function. */
#include "patch.h"

/* What an interrupt flag is in a guest: a word that the host looks at. */
#define STORE "movq %[in1], bench_interrupts(%%rip)"
#define BARE(x) __asm__ volatile(STORE : : [in1] "r"(x) : "memory");
#define SEQUENCE(x) relink_wrap(bench_interrupt, STORE, RELINK_NO_OUTPUT, RELINK_IREG1(x), RELINK_CLOBBERS());
#define CALL(x) bench_store(x);
#define POINTER(x) bench_store_pointer(x);

BENCH_LOOP(dense_sequence_bare, BARE)
BENCH_LOOP(dense_sequence_wrapped, SEQUENCE)
BENCH_LOOP(dense_sequence_call, CALL)
BENCH_LOOP(dense_sequence_pointer, POINTER)

/* One addition and a rotation, each waiting for the one before. */
#define ADD(x, n) x = x * 3 + (n); __asm__ volatile("ror $7, %0" : "+r"(x) : : "cc", "memory");
#define CONSTANT(x) ADD(x, 12345)
#define IMMEDIATE(x) ADD(x, relink_immediate(bench_number))
#define LOADED(x) ADD(x, bench_loaded)

/* To the same counter: the next waits for it. `incq` may not become anything else, so it is written out. */
#define PLAIN(x) __asm__ volatile("incq %0" : "+m"(bench_counter) : : "cc");
#define COUNT(x) relink_atomic_inc(&bench_counter);

BENCH_LOOP(dense_atomic_plain, PLAIN)
BENCH_LOOP(dense_atomic_counted, COUNT)

#define HAND(x) x = bench_hand(x);
#define TESTED(x) x = bench_tested(x);
#define VARIANT(x) x = bench_work(x);

BENCH_LOOP(dense_function_hand, HAND)
BENCH_LOOP(dense_function_tested, TESTED)
BENCH_LOOP(dense_function_variant, VARIANT)

BENCH_LOOP(dense_immediate_constant, CONSTANT)
BENCH_LOOP(dense_immediate_number, IMMEDIATE)
BENCH_LOOP(dense_immediate_loaded, LOADED)
