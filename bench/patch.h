/* SPDX-License-Identifier: MIT */
/* patch.h - the sequence and the number that are measured, and what they are compared with. */
#ifndef BENCH_PATCH_H
#define BENCH_PATCH_H

#include <relink/relink.h>

#include "loops.h"

RELINK_DECLARE_SEQUENCE(bench_interrupt);
RELINK_DECLARE_IMMEDIATE(uint32_t, bench_number, 12345);
extern uint64_t bench_interrupts;
extern uint32_t bench_loaded;
void bench_store(uint64_t x);
extern void (*bench_store_pointer)(uint64_t x);

bench_loop dense_sequence_bare, dense_sequence_wrapped, dense_sequence_call, dense_sequence_pointer;
bench_loop dense_immediate_constant, dense_immediate_number, dense_immediate_loaded;

#endif
