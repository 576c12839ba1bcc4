/* SPDX-License-Identifier: MIT */
/* catalog.c - all files of a run. */
#include "catalog.h"

#include <stdlib.h>

#include "choices.h"
#include "util.h"

/* A job ends with the file that reaches one of these. */
#define JOB_FILES 64u
#define JOB_BYTES ((uint64_t)256 << 10)

static bool job_is_full(const struct job *job, uint64_t bytes)
{
	return job->count >= JOB_FILES || bytes >= JOB_BYTES;
}

static void flush_batch(struct catalog *c)
{
	if (c->batch.count)
		queue_push(c->queue, c->batch);
	c->batch.count = 0;
	c->batch_bytes = 0;
}

/* The link is set before the job that has the file is queued: whoever works on it never writes it. */
static void append(struct catalog *c, struct file *f)
{
	if (c->last)
		c->last->next = f;
	else
		c->first = f;
	c->last = f;
	if (c->batch.count++ == 0)
		c->batch.first = f;
	c->batch_bytes += f->size;
	if (job_is_full(&c->batch, c->batch_bytes))
		flush_batch(c);
}

static bool visit(void *ctx, const char *path, uint64_t size, bool given)
{
	struct catalog *c = ctx;
	struct file *f;

	if (size && !c->left) {
		c->cut = true;
		return false;
	}
	f = alloc(1, sizeof(*f));
	f->path = copy_string(path);
	f->given = given;
	f->size = size < c->left ? size : c->left;
	c->left -= f->size;
	c->cut = f->size < size;
	append(c, f);
	return !c->cut;
}

static struct job *add_parcel(struct catalog *c, struct file *first)
{
	if ((c->parcel_count & (c->parcel_count - 1)) == 0) /* 0, 1, 2, 4, 8 .. are the sizes it had */
		c->parcels = grow(c->parcels, c->parcel_count ? 2 * (size_t)c->parcel_count : 1, sizeof(*c->parcels));
	c->parcels[c->parcel_count] = (struct job){ .first = first };
	return &c->parcels[c->parcel_count++];
}

static void make_parcels(struct catalog *c)
{
	struct job *job = NULL;

	for (struct file *f = c->first; f; f = f->next) {
		if (!job)
			job = add_parcel(c, f);
		job->count++;
		job->bytes += f->found.bytes;
		if (job_is_full(job, job->bytes))
			job = NULL;
	}
}

void catalog_read(struct catalog *c, char *const *paths, int count, uint64_t limit, struct queue *queue)
{
	*c = (struct catalog){ .left = limit, .queue = queue, .batch.kind = JOB_READ };
	c->walk = (struct walk){ .visit = visit, .ctx = c };
	for (int i = 0; i < count && walk(&c->walk, paths[i]); i++)
		;
	flush_batch(c);
	queue_drain(queue);
	make_parcels(c);
}

static void add_file(struct totals *t, const struct file *f)
{
	uint32_t sum = f->found.crc;
	uint8_t bytes[4] = { (uint8_t)sum, (uint8_t)(sum >> 8), (uint8_t)(sum >> 16), (uint8_t)(sum >> 24) };

	t->files++;
	t->bytes += f->found.bytes;
	t->lines += f->found.lines;
	t->utf8 += f->found.utf8;
	t->crc = crc(t->crc, bytes, 4);
}

struct totals catalog_totals(const struct catalog *c)
{
	struct totals t = {
		.unreadable = c->walk.unreadable,
		.not_regular = c->walk.not_regular,
		.unreadable_path = c->walk.first_unreadable,
		.unreadable_error = c->walk.first_error,
	};

	for (const struct file *f = c->first; f; f = f->next) {
		if (f->error && t.unreadable++ == 0) {
			t.unreadable_path = f->path;
			t.unreadable_error = f->error;
		}
		t.not_regular += f->not_regular;
		if (!f->error && !f->not_regular)
			add_file(&t, f);
	}
	return t;
}

void catalog_pass(struct catalog *c, enum job_kind kind, uint64_t most)
{
	uint64_t bytes = 0;

	for (unsigned i = 0; i < c->parcel_count && bytes < most; i++) {
		struct job job = c->parcels[i];

		bytes += job.bytes;
		job.kind = kind;
		queue_push(c->queue, job);
	}
	queue_drain(c->queue);
}

void catalog_free(struct catalog *c)
{
	struct file *next;

	for (struct file *f = c->first; f; f = next) {
		next = f->next;
		free(f->path);
		free(f->data);
		free(f);
	}
	free(c->parcels);
	free(c->walk.first_unreadable);
}
