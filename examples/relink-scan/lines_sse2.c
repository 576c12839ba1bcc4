/* SPDX-License-Identifier: MIT */
/*
 * lines_sse2.c - newlines, 16 bytes at a time.
 *
 * A compare gives 0 or -1 in each byte. Up to 255 of these are subtracted into byte counters before the counters are
 * summed up, which is one instruction that adds absolute differences from zero.
 */
#include "routines.h"

#if defined(__x86_64__)
#include <immintrin.h>

static uint64_t sum(__m128i counters)
{
	__m128i halves = _mm_sad_epu8(counters, _mm_setzero_si128());

	return (uint64_t)_mm_cvtsi128_si64(halves) + (uint64_t)_mm_cvtsi128_si64(_mm_unpackhi_epi64(halves, halves));
}

/* Up to 255 vectors. */
static uint64_t count_some(const uint8_t *p, size_t vectors)
{
	const __m128i newline = _mm_set1_epi8('\n');
	__m128i counters = _mm_setzero_si128();

	for (; vectors; p += 16, vectors--) {
		__m128i found = _mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)p), newline);

		counters = _mm_sub_epi8(counters, found);
	}
	return sum(counters);
}

uint64_t lines_sse2(const void *data, size_t size)
{
	const uint8_t *p = data;
	uint64_t count = 0;

	while (size >= 16) {
		size_t vectors = size / 16 < 255 ? size / 16 : 255;

		count += count_some(p, vectors);
		p += 16 * vectors;
		size -= 16 * vectors;
	}
	return count + lines_generic(p, size);
}

#endif
