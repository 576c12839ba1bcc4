/* SPDX-License-Identifier: MIT */
/* bench.c - clock, pinning, output. */
#define _GNU_SOURCE
#include "bench.h"

#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static uint64_t read_clock(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t bench_now(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

uint64_t bench_cpu_now(void)
{
	return read_clock(CLOCK_THREAD_CPUTIME_ID);
}

/* The CPUs the process started with; pinning one thread must not narrow what the next one sees. */
static const cpu_set_t *allowed(void)
{
	static cpu_set_t set;

	if (CPU_COUNT(&set) == 0)
		sched_getaffinity(0, sizeof(set), &set);
	return &set;
}

static int first_cpu(const cpu_set_t *set)
{
	int cpu = 0;

	while (cpu < CPU_SETSIZE - 1 && !CPU_ISSET(cpu, set))
		cpu++;
	return cpu;
}

void bench_pin_first(void)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(first_cpu(allowed()), &one);
	sched_setaffinity(0, sizeof(one), &one);
}

void bench_pin_other(void)
{
	cpu_set_t others = *allowed();

	CPU_CLR(first_cpu(allowed()), &others);
	if (CPU_COUNT(&others) > 0)
		sched_setaffinity(0, sizeof(others), &others);
}

void bench_add(struct bench_series *series, double sample)
{
	if (series->n < BENCH_ROUNDS_MAX)
		series->sample[series->n++] = sample;
}

void bench_print(const struct bench_series *series)
{
	printf("%s %s %s", series->name, series->unit, series->to ? series->to : "-");
	for (size_t i = 0; i < series->n; i++)
		printf(" %.9g", series->sample[i]);
	putchar('\n');
}

void bench_note(const char *format, ...)
{
	va_list ap;

	fputs("# ", stdout);
	va_start(ap, format);
	vprintf(format, ap);
	va_end(ap);
	putchar('\n');
}

void bench_die(const char *format, ...)
{
	va_list ap;

	fflush(stdout);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(1);
}

void bench_order(unsigned *order, unsigned n, unsigned round)
{
	uint64_t state = 0x9e3779b97f4a7c15u * (round + 1u);

	for (unsigned i = 0; i < n; i++)
		order[i] = i;
	for (unsigned i = n; i > 1; i--) {
		state = state * 6364136223846793005u + 1442695040888963407u;
		unsigned j = (unsigned)(state >> 33) % i, swap = order[i - 1];

		order[i - 1] = order[j];
		order[j] = swap;
	}
}
