/* SPDX-License-Identifier: MIT */
/* input.h - the files: found, read, kept in memory. */
#ifndef SCAN_INPUT_H
#define SCAN_INPUT_H

#include <stdbool.h>
#include <stdint.h>

#include "scan.h"
#include "source.h"

struct file {
	struct file *next; /* in the order they were found */
	char *path;
	uint64_t size;     /* to be read; what it had when it was found, or less if the limit cuts it */
	bool given;        /* named on the command line: may be a symbolic link */
	int error;         /* could not be read: why; 0: it could */
	bool not_regular;  /* was replaced by something else since it was found */
	uint8_t *data;     /* if it was kept: the found.bytes that were read */
	struct result found, reference;
};

/* Reads through `source`, with a `buffer` of INPUT_BUFFER bytes, and scans; or, if it is to be kept, into memory of its own. */
void file_read(struct file *f, uint8_t *buffer, bool keep);

/* Reads the bytes again that were read before, which are not touched. False: it can't be read any more. */
bool file_reread(const struct file *f, uint8_t *buffer, struct result *r);
/* Does the disk still have what was kept? */
bool file_is_unchanged(const struct file *f, uint8_t *buffer);

/* Scans what was kept. */
struct result file_scan(const struct file *f);

/* While `trace` is on, files are counted and, unless quiet, printed. */
void trace_quietly(bool quiet);
/* How many were traced so far. */
uint64_t trace_count(void);

#endif
