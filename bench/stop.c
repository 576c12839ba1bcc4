/* SPDX-License-Identifier: MIT */
/* stop.c - how long RELINK_STOP takes with other threads: asleep, or computing. One key with one site is changed. */
#include "bench.h"

#include <pthread.h>
#include <relink/relink.h>
#include <stdio.h>
#include <unistd.h>

#define ROUNDS 31

RELINK_KEY_FALSE(bench_key, "the key that is measured");

static volatile int running = 1;
static unsigned long progress;

static void *asleep(void *end)
{
	char byte;

	while (read(*(int *)end, &byte, 1) < 0)
		;
	return end;
}

static void *computing(void *unused)
{
	while (running)
		if (relink_unlikely(bench_key))
			__atomic_fetch_add(&progress, 1, __ATOMIC_RELAXED);
	return unused;
}

/* Microseconds. */
static double stop(int on)
{
	struct relink_commit c = RELINK_COMMIT;
	struct relink_error err;
	uint64_t start;

	relink_set_key(&c, bench_key, on);
	start = bench_now();
	if (relink_commit(&c, RELINK_STOP, &err) < 0)
		bench_die("stop: %s", relink_error_text(&err));
	return (double)(bench_now() - start) / 1e3;
}

static void measure(const char *what, unsigned threads)
{
	static struct bench_series series;

	series = (struct bench_series){ .unit = "us" };
	snprintf(series.name, sizeof(series.name), "stop.%s.%u", what, threads);
	stop(0);
	for (unsigned round = 0; round < ROUNDS; round++)
		bench_add(&series, (stop(1) + stop(0)) / 2);
	bench_print(&series);
}

static void start(pthread_t *threads, unsigned from, unsigned to, void *(*run)(void *), void *argument)
{
	for (unsigned i = from; i < to; i++)
		if (pthread_create(&threads[i], NULL, run, argument))
			bench_die("stop: no more threads");
}

int main(void)
{
	static const unsigned sizes[] = { 1, 8, 64, 256 };
	static pthread_t threads[256];
	unsigned count = 0;
	int ends[2];

	if (pipe(ends))
		bench_die("stop: no pipe");
	bench_pin_first();
	measure("alone", 0);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		start(threads, count, sizes[i], asleep, &ends[0]);
		count = sizes[i];
		measure("asleep", count);
	}
	close(ends[1]);
	for (unsigned i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	start(threads, 0, 1, computing, NULL);
	measure("computing", 1);
	start(threads, 1, 8, computing, NULL);
	measure("computing", 8);
	running = 0;
	return 0;
}
