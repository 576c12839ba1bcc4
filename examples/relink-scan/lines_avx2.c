/* SPDX-License-Identifier: MIT */
/* lines_avx2.c - newlines, 32 bytes at a time, two vectors a step; see lines_sse2.c for how. */
#include "routines.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define TARGET __attribute__((target("avx2")))

static TARGET inline __m256i found(const uint8_t *p)
{
	return _mm256_cmpeq_epi8(_mm256_loadu_si256((const __m256i *)p), _mm256_set1_epi8('\n'));
}

static TARGET uint64_t sum(__m256i counters)
{
	__m256i quarters = _mm256_sad_epu8(counters, _mm256_setzero_si256());
	__m128i halves = _mm_add_epi64(_mm256_castsi256_si128(quarters), _mm256_extracti128_si256(quarters, 1));

	return (uint64_t)_mm_cvtsi128_si64(halves) + (uint64_t)_mm_cvtsi128_si64(_mm_unpackhi_epi64(halves, halves));
}

/* Up to 255 pairs of vectors. */
static TARGET uint64_t count_some(const uint8_t *p, size_t pairs)
{
	__m256i a = _mm256_setzero_si256(), b = a;

	for (; pairs; p += 64, pairs--) {
		a = _mm256_sub_epi8(a, found(p));
		b = _mm256_sub_epi8(b, found(p + 32));
	}
	return sum(a) + sum(b);
}

TARGET uint64_t lines_avx2(const void *data, size_t size)
{
	const uint8_t *p = data;
	uint64_t count = 0;

	while (size >= 64) {
		size_t pairs = size / 64 < 255 ? size / 64 : 255;

		count += count_some(p, pairs);
		p += 64 * pairs;
		size -= 64 * pairs;
	}
	return count + lines_generic(p, size);
}

#endif
