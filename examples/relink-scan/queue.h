/* SPDX-License-Identifier: MIT */
/* queue.h - jobs for the workers; what they do while there are none is the option `idle`. */
#ifndef SCAN_QUEUE_H
#define SCAN_QUEUE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct file;

struct job {
	enum job_kind { JOB_READ, JOB_REFERENCE, JOB_SCAN, JOB_REREAD } kind;
	struct file *first;
	unsigned count; /* of files, linked by next */
	uint64_t bytes; /* they had when they were read; not known of JOB_READ */
	uint64_t queued_ns;
};

#define QUEUE_ROOM 256u

struct queue {
	pthread_mutex_t lock;
	pthread_cond_t work, room, done;
	struct job ring[QUEUE_ROOM];
	unsigned head;
	_Atomic unsigned count; /* changed under the lock, polled without */
	_Atomic bool closed;
	unsigned sleepers; /* workers waiting for `work` */
	uint64_t open;     /* jobs queued or under way */
};

void queue_make(struct queue *q);
/* Waits for room. */
void queue_push(struct queue *q, struct job job);
/* Waits for a job; false: there will be none any more. *waited: the queue was empty. */
bool queue_pop(struct queue *q, struct job *job, bool *waited);
/* A job that was popped is done. */
void queue_done(struct queue *q);
/* Waits until all jobs are done. */
void queue_drain(struct queue *q);
/* No more jobs: the workers end. */
void queue_close(struct queue *q);

#endif
