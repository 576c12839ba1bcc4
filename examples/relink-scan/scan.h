/* SPDX-License-Identifier: MIT */
/* scan.h - what is computed of a file, through the static calls and, to check them, without. */
#ifndef SCAN_SCAN_H
#define SCAN_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct result {
	uint64_t bytes, lines;
	uint32_t crc;
	bool utf8;
};
#define RESULT_OF_NOTHING { 0, 0, 0, true }

bool result_equal(const struct result *a, const struct result *b);

/*
 * Adds data to *r and returns how much of it: all if it is the last there is; otherwise some may be left, less than
 * SCAN_BLOCK + 1 bytes, for the caller to put in front of what follows.
 */
#define SCAN_BLOCK ((size_t)16 << 10)
size_t scan_some(struct result *r, const uint8_t *data, size_t size, bool last);

/* The same of a whole file by direct calls of the generic variants. */
struct result scan_reference(const uint8_t *data, size_t size);

#endif
