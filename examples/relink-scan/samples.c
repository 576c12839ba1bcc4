/* SPDX-License-Identifier: MIT */
/* samples.c - durations, and random numbers. */
#include "samples.h"

#include <stdlib.h>

#include "util.h"

uint64_t random_next(uint64_t *state)
{
	uint64_t x = *state;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	*state = x;
	return x * 0x2545f4914f6cdd1du >> 16;
}

void samples_make(struct samples *s, size_t room)
{
	*s = (struct samples){ .ns = alloc(room, sizeof(*s->ns)), .room = room, .random = 0x9e3779b97f4a7c15u };
}

void samples_clear(struct samples *s)
{
	s->count = 0;
	s->seen = 0;
}

void samples_add(struct samples *s, uint64_t ns)
{
	uint32_t value = ns < UINT32_MAX ? (uint32_t)ns : UINT32_MAX;
	uint64_t place;

	s->seen++;
	if (s->count < s->room) {
		s->ns[s->count++] = value;
		return;
	}
	place = random_next(&s->random) % s->seen;
	if (place < s->room)
		s->ns[place] = value;
}

void samples_merge(struct samples *s, const struct samples *from)
{
	for (size_t i = 0; i < from->count; i++)
		samples_add(s, from->ns[i]);
}

static int compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

uint32_t samples_quantile(struct samples *s, double share)
{
	if (s->count == 0)
		return 0;
	qsort(s->ns, s->count, sizeof(*s->ns), compare);
	return s->ns[(size_t)(share * (double)(s->count - 1) + 0.5)];
}
