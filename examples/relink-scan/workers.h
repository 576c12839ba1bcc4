/* SPDX-License-Identifier: MIT */
/* workers.h - the threads that scan, and what they count. */
#ifndef SCAN_WORKERS_H
#define SCAN_WORKERS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "input.h"
#include "queue.h"
#include "samples.h"

#define WORKERS_MOST 4096u

struct tally {
	uint64_t files, bytes;
	uint64_t different; /* files whose result is not the reference */
	uint64_t changed;   /* files that are not on the disk as they were */
	const struct file *example; /* one of them */
	struct result wrong;        /* and what came out */
};

struct worker {
	pthread_t thread;
	struct workers *all;
	uint8_t *buffer;
	struct tally tally;
	struct samples wakes; /* from the queueing of a job to the worker that had waited for one */
} __attribute__((aligned(64)));

struct workers {
	struct queue queue;
	struct worker *list;
	unsigned count;
	bool keep; /* the contents of what is read */
	struct tally all; /* what was taken so far */
};

void workers_start(struct workers *w, unsigned count, bool keep);
void workers_stop(struct workers *w);
/* While the queue is drained: the sums since the last time. `wakes` may be NULL. */
struct tally workers_take(struct workers *w, struct samples *wakes);

#endif
