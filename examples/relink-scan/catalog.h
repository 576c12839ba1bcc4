/* SPDX-License-Identifier: MIT */
/* catalog.h - all files of a run: how they come to the workers, what was found in them altogether. */
#ifndef SCAN_CATALOG_H
#define SCAN_CATALOG_H

#include "input.h"
#include "queue.h"
#include "walk.h"

struct totals {
	uint64_t files, bytes, lines, utf8;
	uint64_t unreadable, not_regular;
	const char *unreadable_path; /* one of them, NULL if there is none */
	int unreadable_error;
	uint32_t crc; /* of the files' CRCs, each four bytes, lowest first, in the order of the catalog */
};

struct catalog {
	struct file *first, *last;
	uint64_t left;    /* of the limit */
	bool cut;         /* the limit ended it */
	struct job batch; /* not queued yet */
	uint64_t batch_bytes;
	struct walk walk;
	struct queue *queue;
	struct job *parcels; /* the files again, in jobs of like size */
	unsigned parcel_count;
};

/* Finds files and has them read; returns when all are. */
void catalog_read(struct catalog *c, char *const *paths, int count, uint64_t limit, struct queue *queue);
struct totals catalog_totals(const struct catalog *c);
/* One job of this kind after the other over all files, or the first that have `most` bytes; returns when they are done. */
void catalog_pass(struct catalog *c, enum job_kind kind, uint64_t most);
void catalog_free(struct catalog *c);

#endif
