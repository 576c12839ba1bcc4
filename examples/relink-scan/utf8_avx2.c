/* SPDX-License-Identifier: MIT */
/* utf8_avx2.c - is it UTF-8? 32 bytes at a time, as utf8_lookup.h describes. */
#include "routines.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#include "utf8_lookup.h"

#define TARGET __attribute__((target("avx2")))

static TARGET inline __m256i load(const void *p)
{
	return _mm256_loadu_si256(p);
}

/* Shuffles work within 16 bytes: the table stands in both halves. */
static TARGET inline __m256i lookup(const uint8_t table[16], __m256i nibbles)
{
	return _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)table)), nibbles);
}

static TARGET inline __m256i upper_nibble(__m256i v)
{
	return _mm256_and_si256(_mm256_srli_epi16(v, 4), _mm256_set1_epi8(0x0f));
}

/* The complaints about two neighbours. */
static TARGET inline __m256i complaints(__m256i earlier, __m256i later)
{
	__m256i a = lookup(earlier_upper, upper_nibble(earlier));
	__m256i b = lookup(earlier_lower, _mm256_and_si256(earlier, _mm256_set1_epi8(0x0f)));
	__m256i c = lookup(later_upper, upper_nibble(later));

	return _mm256_and_si256(_mm256_and_si256(a, b), c);
}

/* Non-zero bytes: what is wrong in v, which follows `before`. */
static TARGET inline __m256i wrong(__m256i before, __m256i v)
{
	__m256i seam = _mm256_permute2x128_si256(before, v, 0x21); /* the last 16 bytes before, the first 16 of v */
	__m256i third = _mm256_subs_epu8(_mm256_alignr_epi8(v, seam, 14), _mm256_set1_epi8(0xe0 - 0x80));
	__m256i fourth = _mm256_subs_epu8(_mm256_alignr_epi8(v, seam, 13), _mm256_set1_epi8((char)(0xf0 - 0x80)));
	__m256i pair = _mm256_and_si256(_mm256_or_si256(third, fourth), _mm256_set1_epi8((char)PAIR));

	return _mm256_xor_si256(complaints(_mm256_alignr_epi8(v, seam, 15), v), pair);
}

static TARGET inline bool is_zero(__m256i v)
{
	return _mm256_testz_si256(v, v);
}

/* 64 bytes. */
static TARGET inline bool step(__m256i *before, const uint8_t *p)
{
	__m256i a = load(p), b = load(p + 32), last = *before;
	bool ascii = _mm256_movemask_epi8(_mm256_or_si256(_mm256_or_si256(a, b), last)) == 0;

	*before = b;
	return ascii || is_zero(_mm256_or_si256(wrong(last, a), wrong(a, b)));
}

/* The rest with at least one zero behind it, which a sequence that is cut off runs into. */
static TARGET bool finish(__m256i before, const uint8_t *p, size_t size)
{
	uint8_t rest[32] = { 0 };

	if (size >= 32) {
		__m256i v = load(p);

		if (!is_zero(wrong(before, v)))
			return false;
		before = v;
		p += 32;
		size -= 32;
	}
	memcpy(rest, p, size);
	return is_zero(wrong(before, load(rest)));
}

TARGET bool utf8_avx2(const void *data, size_t size)
{
	const uint8_t *p = data;
	__m256i before = _mm256_setzero_si256();

	for (; size >= 64; p += 64, size -= 64)
		if (!step(&before, p))
			return false;
	return finish(before, p, size);
}

#endif
