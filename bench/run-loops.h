/* SPDX-License-Identifier: MIT */
/* run-loops.h - measures a set of loops against each other, interleaved. */
#ifndef BENCH_RUN_LOOPS_H
#define BENCH_RUN_LOOPS_H

#include "loops.h"

struct bench_case {
	const char *name;
	const char *to; /* what it is compared with, NULL for the reference */
	bench_loop *loop;
	void (*before)(void); /* brings the program into the state that is measured; may be NULL */
};

/* A loop executes `per_turn` sites per turn. Prints nanoseconds per site. */
void bench_run_loops(const struct bench_case *cases, unsigned count, long per_turn, unsigned rounds);

#endif
