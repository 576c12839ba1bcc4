/* SPDX-License-Identifier: MIT */
/* callee.h - the function that every kind of call reaches: the smallest there is, so that the call is what is measured. */
#ifndef BENCH_CALLEE_H
#define BENCH_CALLEE_H

#include <stdint.h>

#define BENCH_CALLEE_BODY(x) ((x) + 1)

uint64_t bench_direct(uint64_t x);          /* in another file, never inlined */
extern uint64_t (*bench_pointer)(uint64_t); /* a global that holds bench_direct */
uint64_t bench_plt(uint64_t x);             /* the same body in a shared object */
uint64_t bench_ifunc(uint64_t x);           /* resolves to bench_direct */

#endif
