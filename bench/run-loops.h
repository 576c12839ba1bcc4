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
	const unsigned char *code, *code_end; /* of a chain; NULL: small */
};

/*
 * Gives the process its own copy of every page of the chains, as a commit does to the pages it writes: pages of the file may
 * share an entry of the instruction TLB, copies don't, and that is not what is to be compared.
 */
void bench_own_code(const struct bench_case *cases, unsigned count);

/* A loop executes `per_turn` sites per turn. Prints nanoseconds per site. */
void bench_run_loops(const struct bench_case *cases, unsigned count, long per_turn, unsigned rounds);

#endif
