/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "busy.h"
#include "bench.h"
#include "sites.h"

#include <pthread.h>
#include <sched.h>

#define THREADS_MAX 64

static struct worker {
	pthread_t thread;
	unsigned long turns;
} __attribute__((aligned(64))) workers[THREADS_MAX];
static unsigned running;
static int stop;

static void *run(void *arg)
{
	struct worker *worker = arg;

	bench_pin_other();
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		bench_count();
		__atomic_store_n(&worker->turns, worker->turns + 1, __ATOMIC_RELAXED);
	}
	return NULL;
}

static unsigned long turns_of(const struct worker *worker)
{
	return __atomic_load_n(&worker->turns, __ATOMIC_RELAXED);
}

unsigned long busy_progress(void)
{
	unsigned long turns = 0;

	for (unsigned i = 0; i < running; i++)
		turns += turns_of(&workers[i]);
	return turns;
}

void busy_start(unsigned threads)
{
	stop = 0;
	for (running = 0; running < threads; running++) {
		workers[running].turns = 0;
		if (pthread_create(&workers[running].thread, NULL, run, &workers[running]))
			bench_die("busy: no thread");
	}
	for (unsigned i = 0; i < threads; i++)
		while (turns_of(&workers[i]) == 0)
			sched_yield();
}

void busy_stop(void)
{
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	while (running > 0)
		pthread_join(workers[--running].thread, NULL);
}
