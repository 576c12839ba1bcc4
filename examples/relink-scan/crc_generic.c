/* SPDX-License-Identifier: MIT */
/* crc_generic.c - CRC-32C with tables, eight bytes a step; any machine. */
#include "crc_poly.h"
#include "routines.h"

/* table[k][b]: the remainder of byte b followed by k zero bytes. */
static uint32_t table[8][256];

static void __attribute__((constructor(102))) make_table(void)
{
	for (unsigned k = 0; k < 8; k++)
		for (uint32_t b = 0; b < 256; b++)
			table[k][b] = crc_times(b, crc_power(8 * (k + 1)));
}

static uint32_t load32(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static uint32_t step8(uint32_t c, const uint8_t *p)
{
	uint32_t a = c ^ load32(p), b = load32(p + 4);

	return table[7][a & 0xff] ^ table[6][a >> 8 & 0xff] ^ table[5][a >> 16 & 0xff] ^ table[4][a >> 24] ^
	       table[3][b & 0xff] ^ table[2][b >> 8 & 0xff] ^ table[1][b >> 16 & 0xff] ^ table[0][b >> 24];
}

uint32_t crc_generic(uint32_t crc, const void *data, size_t size)
{
	const uint8_t *p = data;
	uint32_t c = ~crc;

	for (; size >= 8; p += 8, size -= 8)
		c = step8(c, p);
	for (; size; p++, size--)
		c = (c >> 8) ^ table[0][(c ^ *p) & 0xff];
	return ~c;
}
