/* SPDX-License-Identifier: MIT */
/* threads.c - threads that run already when relink starts, and such that come while calls are being learned. */
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "subject.h"

#define THREADS 8

static atomic_int stop, wrong, started;

static void *run(void *arg)
{
	int times = 5 + (int)(long)arg, want = work(times), more = more_work(times);

	started++;
	for (int i = 0; i < 3000 || (arg && !stop); i++)
		wrong += work(times) != want || more_work(times) != more;
	return 0;
}

#ifdef EARLY
static pthread_t early[2];

/* Before any constructor of the program, and of who is preloaded. */
static __attribute__((constructor)) void begin(void)
{
	for (long i = 0; i < 2; i++)
		pthread_create(&early[i], 0, run, (void *)(i + 1));
	while (started < 2)
		usleep(100);
}
#endif

static void at_once(void)
{
	pthread_t threads[THREADS];

	for (long i = 0; i < THREADS; i++)
		pthread_create(&threads[i], 0, run, 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], 0);
}

int trap_main(int argc, char **argv)
{
	int sum = work(20); /* nearly learned */

	at_once();
	sum += work(100); /* alone again */
	at_once();
	for (int i = 0; i < 200; i++) {
		pthread_t thread;

		pthread_create(&thread, 0, run, 0);
		sum += work(3);
		pthread_join(thread, 0);
		sum += more_work(30);
		if (i == 3)
			break;
	}
	stop = 1;
#ifdef EARLY
	for (int i = 0; i < 2; i++)
		pthread_join(early[i], 0);
#endif
	printf("sum %d, wrong %d\n", sum, wrong);
	return wrong != 0;
}
