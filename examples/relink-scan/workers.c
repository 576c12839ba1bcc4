/* SPDX-License-Identifier: MIT */
/* workers.c - the threads that scan. */
#include "workers.h"

#include <stdlib.h>
#include <string.h>

#include "counters.h"
#include "util.h"

#define WAKES_KEPT 4096
#define STACK_SIZE ((size_t)256 << 10)

static void compare(struct worker *w, const struct file *f, const struct result *r)
{
	if (result_equal(r, &f->reference))
		return;
	if (w->tally.different++ == 0) {
		w->tally.example = f;
		w->tally.wrong = *r;
	}
}

/* For the worker, and for all together. */
static void count(struct worker *w, uint64_t bytes)
{
	w->tally.files++;
	w->tally.bytes += bytes;
	count_file(bytes);
}

static void work_on(struct worker *w, enum job_kind kind, struct file *f)
{
	struct result r;

	if (kind == JOB_READ) {
		file_read(f, w->buffer, w->all->keep);
	} else if (kind == JOB_REFERENCE) {
		f->reference = scan_reference(f->data, f->found.bytes);
		compare(w, f, &f->found);
	} else {
		r = file_scan(f);
		compare(w, f, &r);
	}
	count(w, f->found.bytes);
}

/* Others may have written the file meanwhile; then there is nothing to compare with. */
static void reread(struct worker *w, const struct file *f)
{
	struct result r;
	bool done = file_reread(f, w->buffer, &r);

	if ((done && result_equal(&r, &f->reference)) || file_is_unchanged(f, w->buffer)) {
		compare(w, f, &r);
		count(w, r.bytes);
	} else {
		w->tally.changed++;
	}
}

/* The `next` of the last file belongs to whoever queues the following job. */
static void work(struct worker *w, const struct job *job)
{
	struct file *f = job->first;

	for (unsigned i = 0; i < job->count; i++) {
		if (i)
			f = f->next;
		if (job->kind == JOB_REREAD && f->data)
			reread(w, f);
		else if (job->kind == JOB_READ || f->data)
			work_on(w, job->kind, f);
	}
}

static void *worker_main(void *arg)
{
	struct worker *w = arg;
	struct job job;
	bool waited;

	while (queue_pop(&w->all->queue, &job, &waited)) {
		if (waited)
			samples_add(&w->wakes, now_ns() - job.queued_ns);
		work(w, &job);
		queue_done(&w->all->queue);
	}
	return NULL;
}

static void start_one(struct workers *all, struct worker *w, const pthread_attr_t *attr)
{
	int error;

	*w = (struct worker){ .all = all, .buffer = alloc(INPUT_BUFFER, 1) };
	samples_make(&w->wakes, WAKES_KEPT);
	error = pthread_create(&w->thread, attr, worker_main, w);
	if (error)
		die("can't start thread %u of %u: %s", (unsigned)(w - all->list) + 1, all->count, strerror(error));
}

void workers_start(struct workers *w, unsigned count, bool keep)
{
	pthread_attr_t attr;
	void *list;

	if (posix_memalign(&list, _Alignof(struct worker), count * sizeof(struct worker)))
		die("out of memory for %u threads", count);
	queue_make(&w->queue);
	w->list = list;
	w->count = count;
	w->keep = keep;
	w->all = (struct tally){ 0 };
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	for (unsigned i = 0; i < count; i++)
		start_one(w, &w->list[i], &attr);
	pthread_attr_destroy(&attr);
}

void workers_stop(struct workers *w)
{
	queue_close(&w->queue);
	for (unsigned i = 0; i < w->count; i++) {
		pthread_join(w->list[i].thread, NULL);
		free(w->list[i].buffer);
		free(w->list[i].wakes.ns);
	}
	free(w->list);
}

static void tally_add(struct tally *sum, const struct tally *t)
{
	sum->files += t->files;
	sum->bytes += t->bytes;
	if (t->different && !sum->different) {
		sum->example = t->example;
		sum->wrong = t->wrong;
	}
	sum->different += t->different;
	sum->changed += t->changed;
}

struct tally workers_take(struct workers *w, struct samples *wakes)
{
	struct tally sum = { 0 };

	for (unsigned i = 0; i < w->count; i++) {
		tally_add(&sum, &w->list[i].tally);
		if (wakes)
			samples_merge(wakes, &w->list[i].wakes);
		w->list[i].tally = (struct tally){ 0 };
		samples_clear(&w->list[i].wakes);
	}
	tally_add(&w->all, &sum);
	return sum;
}
