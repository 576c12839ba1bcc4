/* SPDX-License-Identifier: MIT */
/* flipper.c - a thread that changes all choices at random. */
#include "flipper.h"

#include <string.h>

#include "util.h"

#define LATENCIES_KEPT ((size_t)1 << 20)

static void *flip(void *arg)
{
	struct flipper *f = arg;
	uint64_t random = 0x2545f4914f6cdd1du, ns;

	while (!atomic_load_explicit(&f->stop, memory_order_relaxed)) {
		f->status = inventory_set_random(f->choices, &random, &ns, &f->error);
		if (f->status < 0)
			break;
		f->commits++;
		samples_add(&f->latency, ns);
	}
	return NULL;
}

void flipper_start(struct flipper *f, const struct inventory *choices)
{
	int error;

	*f = (struct flipper){ .choices = choices };
	samples_make(&f->latency, LATENCIES_KEPT);
	error = pthread_create(&f->thread, NULL, flip, f);
	if (error)
		die("can't start the thread that changes choices: %s", strerror(error));
}

void flipper_stop(struct flipper *f)
{
	atomic_store(&f->stop, true);
	pthread_join(f->thread, NULL);
}
