/* SPDX-License-Identifier: MIT */
#include "run-loops.h"
#include "bench.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SITES_PER_SAMPLE (1l << 18)

static volatile uint64_t sink; /* keeps the results alive */

static double sample(const struct bench_case *c, long per_turn)
{
	long turns = SITES_PER_SAMPLE / per_turn;
	uint64_t start;

	if (c->before)
		c->before();
	sink += c->loop(1, turns); /* predictors and caches: what ran before took their room */
	start = bench_cpu_now();
	sink += c->loop(1, turns);
	return (double)(bench_cpu_now() - start) / ((double)turns * (double)per_turn);
}

/* One byte of every page is rewritten with what it is. */
void bench_own_code(const struct bench_case *cases, unsigned count)
{
	int fd = open("/proc/self/mem", O_RDWR | O_CLOEXEC);

	for (unsigned i = 0; i < count; i++)
		for (const unsigned char *at = cases[i].code; at < cases[i].code_end; at += 4096)
			if (pwrite(fd, at, 1, (off_t)(uintptr_t)at) != 1)
				bench_die("the code can't be written");
	close(fd);
}

static struct bench_series *series_of(const struct bench_case *cases, unsigned count)
{
	struct bench_series *series = calloc(count, sizeof(*series));

	if (!series)
		bench_die("out of memory");
	for (unsigned i = 0; i < count; i++) {
		strncpy(series[i].name, cases[i].name, sizeof(series[i].name) - 1);
		series[i].unit = "ns";
		series[i].to = cases[i].to;
	}
	return series;
}

void bench_run_loops(const struct bench_case *cases, unsigned count, long per_turn, unsigned rounds)
{
	struct bench_series *series = series_of(cases, count);
	unsigned order[32];

	for (unsigned round = 0; round < rounds; round++) {
		bench_order(order, count, round);
		for (unsigned i = 0; i < count; i++)
			bench_add(&series[order[i]], sample(&cases[order[i]], per_turn));
	}
	for (unsigned i = 0; i < count; i++)
		bench_print(&series[i]);
	free(series);
}
