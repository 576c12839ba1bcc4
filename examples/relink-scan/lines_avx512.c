/* SPDX-License-Identifier: MIT */
/* lines_avx512.c - newlines, 64 bytes at a time: a compare into a mask, the ones of the mask; the rest under a mask. */
#include "routines.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define TARGET __attribute__((target("avx512f,avx512bw,popcnt")))

TARGET uint64_t lines_avx512(const void *data, size_t size)
{
	const __m512i newline = _mm512_set1_epi8('\n');
	const uint8_t *p = data;
	uint64_t count = 0;

	for (; size >= 64; p += 64, size -= 64)
		count += (uint64_t)_mm_popcnt_u64(_mm512_cmpeq_epi8_mask(_mm512_loadu_si512(p), newline));
	if (size) {
		__mmask64 rest = ~0ull >> (64 - size);

		count += (uint64_t)_mm_popcnt_u64(_mm512_cmpeq_epi8_mask(_mm512_maskz_loadu_epi8(rest, p), newline));
	}
	return count;
}

#endif
