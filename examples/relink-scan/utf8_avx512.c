/* SPDX-License-Identifier: MIT */
/* utf8_avx512.c - is it UTF-8? 64 bytes at a time, as utf8_lookup.h describes. */
#include "routines.h"

#if defined(__x86_64__)
#include <immintrin.h>

#include "utf8_lookup.h"

#define TARGET __attribute__((target("avx512f,avx512bw")))

/* Shuffles work within 16 bytes: the table stands in all quarters. */
static TARGET inline __m512i lookup(const uint8_t table[16], __m512i nibbles)
{
	return _mm512_shuffle_epi8(_mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)table)), nibbles);
}

static TARGET inline __m512i upper_nibble(__m512i v)
{
	return _mm512_and_si512(_mm512_srli_epi16(v, 4), _mm512_set1_epi8(0x0f));
}

/* The complaints about two neighbours. */
static TARGET inline __m512i complaints(__m512i earlier, __m512i later)
{
	__m512i a = lookup(earlier_upper, upper_nibble(earlier));
	__m512i b = lookup(earlier_lower, _mm512_and_si512(earlier, _mm512_set1_epi8(0x0f)));
	__m512i c = lookup(later_upper, upper_nibble(later));

	return _mm512_ternarylogic_epi64(a, b, c, 0x80);
}

/* Non-zero bytes: what is wrong in v, which follows `before`. */
static TARGET inline __m512i wrong(__m512i before, __m512i v)
{
	__m512i seam = _mm512_alignr_epi64(v, before, 6); /* the last 16 bytes before, the first 48 of v */
	__m512i third = _mm512_subs_epu8(_mm512_alignr_epi8(v, seam, 14), _mm512_set1_epi8(0xe0 - 0x80));
	__m512i fourth = _mm512_subs_epu8(_mm512_alignr_epi8(v, seam, 13), _mm512_set1_epi8((char)(0xf0 - 0x80)));
	__m512i pair = _mm512_and_si512(_mm512_or_si512(third, fourth), _mm512_set1_epi8((char)PAIR));

	return _mm512_xor_si512(complaints(_mm512_alignr_epi8(v, seam, 15), v), pair);
}

static TARGET inline bool is_good(__m512i before, __m512i v)
{
	if (_mm512_movepi8_mask(_mm512_or_si512(before, v)) == 0)
		return true;
	v = wrong(before, v);
	return _mm512_test_epi8_mask(v, v) == 0;
}

TARGET bool utf8_avx512(const void *data, size_t size)
{
	const uint8_t *p = data;
	__m512i before = _mm512_setzero_si512();

	for (; size >= 64; p += 64, size -= 64) {
		__m512i v = _mm512_loadu_si512(p);

		if (!is_good(before, v))
			return false;
		before = v;
	}
	/* The rest with at least one zero behind it, which a sequence that is cut off runs into. */
	return is_good(before, _mm512_maskz_loadu_epi8((1ull << size) - 1, p));
}

#endif
