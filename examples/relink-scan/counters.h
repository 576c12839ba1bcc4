/* SPDX-License-Identifier: MIT */
/* counters.h - what all threads count together: relink's atomics, whose lock prefix is a site (relink/atomic.h). */
#ifndef SCAN_COUNTERS_H
#define SCAN_COUNTERS_H

#include <stdint.h>

#include <relink/relink.h>

struct counters {
	uint64_t files, bytes, traced;
} __attribute__((aligned(64)));
extern struct counters counters;

static inline void count_file(uint64_t bytes)
{
	relink_atomic_inc(&counters.files);
	relink_atomic_add(&counters.bytes, bytes);
}

#endif
