/* SPDX-License-Identifier: MIT */
/* flipper.h - a thread that changes all choices at random, one commit after the other, as fast as it can. */
#ifndef SCAN_FLIPPER_H
#define SCAN_FLIPPER_H

#include <pthread.h>
#include <stdatomic.h>

#include "inventory.h"
#include "samples.h"

struct flipper {
	pthread_t thread;
	const struct inventory *choices;
	atomic_bool stop;
	uint64_t commits;
	struct samples latency; /* of relink_commit() */
	int status;             /* negative: a commit failed, which ended it */
	struct relink_error error;
};

void flipper_start(struct flipper *f, const struct inventory *choices);
void flipper_stop(struct flipper *f);

#endif
