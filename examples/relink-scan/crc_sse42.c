/* SPDX-License-Identifier: MIT */
/*
 * crc_sse42.c - CRC-32C with the processor's crc32 instruction.
 *
 * The instruction takes three cycles and one can start in each, so three lanes of the buffer are computed side by side
 * and put together: the remainder of a lane that `n` bytes follow is the remainder times x^(8n), a table of four bytes.
 */
#include "routines.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#include "crc_poly.h"

#define TARGET __attribute__((target("sse4.2")))

#define LONG_LANE 1024u
#define SHORT_LANE 128u

struct shift {
	uint32_t table[4][256]; /* [k][b]: (b << 8k) * x^(8 * lane) */
};
static struct shift shift_long, shift_short;

static void make_shift(struct shift *shift, unsigned lane)
{
	uint32_t factor = crc_power(8 * lane);

	for (int k = 0; k < 4; k++)
		for (uint32_t b = 0; b < 256; b++)
			shift->table[k][b] = crc_times(b << 8 * k, factor);
}

static void __attribute__((constructor(102))) make_shifts(void)
{
	make_shift(&shift_long, LONG_LANE);
	make_shift(&shift_short, SHORT_LANE);
}

static uint32_t shifted(const struct shift *shift, uint32_t c)
{
	return shift->table[0][c & 0xff] ^ shift->table[1][c >> 8 & 0xff] ^ shift->table[2][c >> 16 & 0xff] ^
	       shift->table[3][c >> 24];
}

static TARGET uint64_t add8(uint64_t c, const uint8_t *p)
{
	uint64_t word;

	memcpy(&word, p, 8);
	return _mm_crc32_u64(c, word);
}

static TARGET uint32_t three_lanes(uint32_t c, const uint8_t *p, size_t lane, const struct shift *shift)
{
	uint64_t a = c, b = 0, d = 0;

	for (const uint8_t *end = p + lane; p < end; p += 8) {
		a = add8(a, p);
		b = add8(b, p + lane);
		d = add8(d, p + 2 * lane);
	}
	return shifted(shift, shifted(shift, (uint32_t)a) ^ (uint32_t)b) ^ (uint32_t)d;
}

TARGET uint32_t crc_sse42(uint32_t crc, const void *data, size_t size)
{
	const uint8_t *p = data;
	uint32_t c = ~crc;

	for (; size >= 3 * LONG_LANE; p += 3 * LONG_LANE, size -= 3 * LONG_LANE)
		c = three_lanes(c, p, LONG_LANE, &shift_long);
	for (; size >= 3 * SHORT_LANE; p += 3 * SHORT_LANE, size -= 3 * SHORT_LANE)
		c = three_lanes(c, p, SHORT_LANE, &shift_short);
	for (; size >= 8; p += 8, size -= 8)
		c = (uint32_t)add8(c, p);
	for (; size; p++, size--)
		c = _mm_crc32_u8(c, *p);
	return ~c;
}

#endif
