/* SPDX-License-Identifier: MIT */
/* queue.c - jobs for the workers. */
#include "queue.h"

#include <sched.h>

#include "choices.h"
#include "util.h"

void queue_make(struct queue *q)
{
	*q = (struct queue){ .head = 0 };
	pthread_mutex_init(&q->lock, NULL);
	pthread_cond_init(&q->work, NULL);
	pthread_cond_init(&q->room, NULL);
	pthread_cond_init(&q->done, NULL);
}

void queue_push(struct queue *q, struct job job)
{
	pthread_mutex_lock(&q->lock);
	while (q->count == QUEUE_ROOM)
		pthread_cond_wait(&q->room, &q->lock);
	job.queued_ns = now_ns();
	q->ring[(q->head + q->count) % QUEUE_ROOM] = job;
	q->count++;
	q->open++;
	if (q->sleepers)
		pthread_cond_signal(&q->work);
	pthread_mutex_unlock(&q->lock);
}

static void pause_cpu(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

/* Returns when there may be a job, or when workers shall not poll any more. Yields at times: there may be fewer CPUs than workers. */
static void poll_queue(struct queue *q)
{
	for (unsigned turns = 1; relink_option_is(idle, poll) && !q->count && !q->closed; turns++) {
		pause_cpu();
		if (turns % 64 == 0)
			sched_yield();
	}
}

static void halt_for_work(struct queue *q)
{
	q->sleepers++;
	pthread_cond_wait(&q->work, &q->lock);
	q->sleepers--;
}

/* With the lock, before and after. */
static void wait_for_work(struct queue *q)
{
	if (relink_option_is(idle, halt)) {
		halt_for_work(q);
		return;
	}
	pthread_mutex_unlock(&q->lock);
	poll_queue(q);
	pthread_mutex_lock(&q->lock);
}

bool queue_pop(struct queue *q, struct job *job, bool *waited)
{
	bool more;

	*waited = false;
	pthread_mutex_lock(&q->lock);
	while (!q->count && !q->closed) {
		*waited = true;
		wait_for_work(q);
	}
	more = q->count > 0;
	if (more) {
		*job = q->ring[q->head];
		q->head = (q->head + 1) % QUEUE_ROOM;
		if (q->count-- == QUEUE_ROOM)
			pthread_cond_signal(&q->room);
	}
	pthread_mutex_unlock(&q->lock);
	return more;
}

void queue_done(struct queue *q)
{
	pthread_mutex_lock(&q->lock);
	if (--q->open == 0)
		pthread_cond_signal(&q->done);
	pthread_mutex_unlock(&q->lock);
}

void queue_drain(struct queue *q)
{
	pthread_mutex_lock(&q->lock);
	while (q->open)
		pthread_cond_wait(&q->done, &q->lock);
	pthread_mutex_unlock(&q->lock);
}

void queue_close(struct queue *q)
{
	pthread_mutex_lock(&q->lock);
	q->closed = true;
	pthread_cond_broadcast(&q->work);
	pthread_mutex_unlock(&q->lock);
}
