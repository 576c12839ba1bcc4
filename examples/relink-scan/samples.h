/* SPDX-License-Identifier: MIT */
/* samples.h - durations: as many as there is room for, then a random choice of all that came. */
#ifndef SCAN_SAMPLES_H
#define SCAN_SAMPLES_H

#include <stddef.h>
#include <stdint.h>

struct samples {
	uint32_t *ns;
	size_t count, room;
	uint64_t seen;
	uint64_t random;
};

void samples_make(struct samples *s, size_t room);
void samples_clear(struct samples *s);
void samples_add(struct samples *s, uint64_t ns);
/* Adds what `from` kept. */
void samples_merge(struct samples *s, const struct samples *from);
/* Sorts. The value below which `share` (0 to 1) of all lie; 0 without samples. */
uint32_t samples_quantile(struct samples *s, double share);

/* A small generator of random numbers; the state must not be 0. */
uint64_t random_next(uint64_t *state);

#endif
