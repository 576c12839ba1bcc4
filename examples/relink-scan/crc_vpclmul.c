/* SPDX-License-Identifier: MIT */
/*
 * crc_vpclmul.c - CRC-32C by carry-less multiplication, four times 64 bytes a step.
 *
 * A 128-bit piece A of the message that D bits further on meets piece B can be replaced by B + A * x^D, and A * x^D by
 * anything congruent to it modulo the polynomial. So each half of A is multiplied by a 32-bit constant and added to B:
 * the buffer is folded onto its end, until 16 bytes are left for the crc32 instruction.
 *
 * The constants: a product of two reflected 64-bit words is one power of x too low when read as a reflected 128-bit word,
 * and a 32-bit constant in the low half of its word stands for itself times x^32. The first half of A is worth x^64 more than the
 * second. Hence x^(D + 64 - 33) for the first and x^(D - 33) for the second.
 */
#include "routines.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#include "crc_poly.h"

#define TARGET __attribute__((target("sse4.2,pclmul,avx512f,vpclmulqdq")))

struct fold {
	uint64_t first, second;
};
static struct fold by_256, by_64, by_16; /* bytes */

static struct fold make_fold(unsigned bytes)
{
	return (struct fold){ crc_power(8 * bytes + 31), crc_power(8 * bytes - 33) };
}

static void __attribute__((constructor(102))) make_folds(void)
{
	by_256 = make_fold(256);
	by_64 = make_fold(64);
	by_16 = make_fold(16);
}

static TARGET inline __m128i constants(const struct fold *fold)
{
	return _mm_loadu_si128((const __m128i *)fold);
}

/* a * x^D + b, four pieces at once */
static TARGET inline __m512i folded(__m512i a, __m512i k, __m512i b)
{
	__m512i first = _mm512_clmulepi64_epi128(a, k, 0x00), second = _mm512_clmulepi64_epi128(a, k, 0x11);

	return _mm512_ternarylogic_epi64(first, second, b, 0x96);
}

/* One piece. */
static TARGET inline __m128i folded1(__m128i a, __m128i k, __m128i b)
{
	__m128i first = _mm_clmulepi64_si128(a, k, 0x00), second = _mm_clmulepi64_si128(a, k, 0x11);

	return _mm_xor_si128(_mm_xor_si128(first, second), b);
}

static TARGET inline uint32_t remainder_of(__m128i piece)
{
	uint64_t c = _mm_crc32_u64(0, (uint64_t)_mm_cvtsi128_si64(piece));

	return (uint32_t)_mm_crc32_u64(c, (uint64_t)_mm_extract_epi64(piece, 1));
}

/* The four pieces of a lie one after the other. */
static TARGET uint32_t reduce(__m512i a)
{
	__m128i k = constants(&by_16);
	__m128i piece = folded1(_mm512_extracti32x4_epi32(a, 0), k, _mm512_extracti32x4_epi32(a, 1));

	piece = folded1(piece, k, _mm512_extracti32x4_epi32(a, 2));
	return remainder_of(folded1(piece, k, _mm512_extracti32x4_epi32(a, 3)));
}

/* size is a multiple of 64, at least 256 */
static TARGET uint32_t fold_all(uint32_t c, const uint8_t *p, size_t size)
{
	__m512i k = _mm512_broadcast_i32x4(constants(&by_256));
	__m512i a[4];

	for (int i = 0; i < 4; i++)
		a[i] = _mm512_loadu_si512(p + 64 * i);
	a[0] = _mm512_xor_si512(a[0], _mm512_zextsi128_si512(_mm_cvtsi32_si128((int)c)));
	for (p += 256, size -= 256; size >= 256; p += 256, size -= 256)
		for (int i = 0; i < 4; i++)
			a[i] = folded(a[i], k, _mm512_loadu_si512(p + 64 * i));

	k = _mm512_broadcast_i32x4(constants(&by_64));
	for (int i = 1; i < 4; i++)
		a[0] = folded(a[0], k, a[i]);
	for (; size; p += 64, size -= 64)
		a[0] = folded(a[0], k, _mm512_loadu_si512(p));
	return reduce(a[0]);
}

TARGET uint32_t crc_vpclmul(uint32_t crc, const void *data, size_t size)
{
	const uint8_t *p = data;
	uint32_t c = ~crc;

	if (size >= 256) {
		size_t whole = size & ~(size_t)63;

		c = fold_all(c, p, whole);
		p += whole;
		size -= whole;
	}
	for (; size >= 8; p += 8, size -= 8) {
		uint64_t word;

		memcpy(&word, p, 8);
		c = (uint32_t)_mm_crc32_u64(c, word);
	}
	for (; size; p++, size--)
		c = _mm_crc32_u8(c, *p);
	return ~c;
}

#endif
