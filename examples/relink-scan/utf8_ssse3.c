/* SPDX-License-Identifier: MIT */
/* utf8_ssse3.c - is it UTF-8? 16 bytes at a time, as utf8_lookup.h describes. */
#include "routines.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#include "utf8_lookup.h"

#define TARGET __attribute__((target("ssse3")))

static TARGET inline __m128i load(const void *p)
{
	return _mm_loadu_si128(p);
}

static TARGET inline __m128i upper_nibble(__m128i v)
{
	return _mm_and_si128(_mm_srli_epi16(v, 4), _mm_set1_epi8(0x0f));
}

/* The complaints about two neighbours. */
static TARGET inline __m128i complaints(__m128i earlier, __m128i later)
{
	__m128i lower = _mm_and_si128(earlier, _mm_set1_epi8(0x0f));
	__m128i a = _mm_shuffle_epi8(load(earlier_upper), upper_nibble(earlier));
	__m128i b = _mm_shuffle_epi8(load(earlier_lower), lower);
	__m128i c = _mm_shuffle_epi8(load(later_upper), upper_nibble(later));

	return _mm_and_si128(_mm_and_si128(a, b), c);
}

/* Non-zero bytes: what is wrong in v, which follows `before`. */
static TARGET inline __m128i wrong(__m128i before, __m128i v)
{
	__m128i third = _mm_subs_epu8(_mm_alignr_epi8(v, before, 14), _mm_set1_epi8(0xe0 - 0x80));
	__m128i fourth = _mm_subs_epu8(_mm_alignr_epi8(v, before, 13), _mm_set1_epi8((char)(0xf0 - 0x80)));
	__m128i pair = _mm_and_si128(_mm_or_si128(third, fourth), _mm_set1_epi8((char)PAIR));

	return _mm_xor_si128(complaints(_mm_alignr_epi8(v, before, 15), v), pair);
}

static TARGET inline bool is_ascii(__m128i v)
{
	return _mm_movemask_epi8(v) == 0;
}

static TARGET inline bool is_zero(__m128i v)
{
	return _mm_movemask_epi8(_mm_cmpeq_epi8(v, _mm_setzero_si128())) == 0xffff;
}

/* 64 bytes. */
static TARGET inline bool step(__m128i *before, const uint8_t *p)
{
	__m128i a = load(p), b = load(p + 16), c = load(p + 32), d = load(p + 48);
	__m128i all = _mm_or_si128(_mm_or_si128(a, b), _mm_or_si128(c, d)), bad;

	if (is_ascii(_mm_or_si128(all, *before))) {
		*before = d;
		return true;
	}
	bad = _mm_or_si128(_mm_or_si128(wrong(*before, a), wrong(a, b)), _mm_or_si128(wrong(b, c), wrong(c, d)));
	*before = d;
	return is_zero(bad);
}

/* The rest with at least one zero behind it, which a sequence that is cut off runs into. */
static TARGET bool finish(__m128i before, const uint8_t *p, size_t size)
{
	uint8_t rest[16] = { 0 };

	for (; size >= 16; p += 16, size -= 16) {
		__m128i v = load(p);

		if (!is_zero(wrong(before, v)))
			return false;
		before = v;
	}
	memcpy(rest, p, size);
	return is_zero(wrong(before, load(rest)));
}

TARGET bool utf8_ssse3(const void *data, size_t size)
{
	const uint8_t *p = data;
	__m128i before = _mm_setzero_si128();

	for (; size >= 64; p += 64, size -= 64)
		if (!step(&before, p))
			return false;
	return finish(before, p, size);
}

#endif
