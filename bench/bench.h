/* SPDX-License-Identifier: MIT */
/*
 * bench.h - what every benchmark program needs: a clock, a CPU of its own, and a way to hand its samples to run.py.
 *
 * A program prints one line per quantity, `name unit reference sample sample ..` ("-": no reference). Sample k of every line of
 * one process was taken in the same round, so that run.py may divide them pairwise. Everything statistical happens there.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stddef.h>
#include <stdint.h>

#define BENCH_ROUNDS_MAX 1024

struct bench_series {
	char name[64];
	const char *unit;
	const char *to; /* name of what it is compared with, or NULL */
	size_t n;
	double sample[BENCH_ROUNDS_MAX];
};

uint64_t bench_now(void);     /* nanoseconds */
uint64_t bench_cpu_now(void); /* of this thread's own running time: other jobs of the machine don't count */
/* Moves this thread to the first CPU that the process may use, or to one of the others; nothing happens on one CPU. */
void bench_pin_first(void);
void bench_pin_other(void);

void bench_add(struct bench_series *series, double sample);
void bench_print(const struct bench_series *series);
/* A line of text about this process for the results: what was measured, or why it was not. */
void bench_note(const char *format, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void bench_die(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A permutation of 0..n-1, another one in every round, so that nothing is always measured first. */
void bench_order(unsigned *order, unsigned n, unsigned round);

#endif
