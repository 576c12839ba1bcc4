/* SPDX-License-Identifier: MIT */
/*
 * crc_poly.h - arithmetic modulo the CRC-32C polynomial, for tables and constants made at start-up.
 *
 * Polynomials over GF(2) of degree below 32 are held bit-reflected, as CRC-32C has them: bit 31 is the coefficient of
 * x^0, bit 0 that of x^31.
 */
#ifndef SCAN_CRC_POLY_H
#define SCAN_CRC_POLY_H

#include <stdint.h>

#define CRC_POLY 0x82f63b78u
#define CRC_ONE 0x80000000u

static inline uint32_t crc_times_x(uint32_t a)
{
	return (a >> 1) ^ (a & 1 ? CRC_POLY : 0);
}

/* a * b */
static inline uint32_t crc_times(uint32_t a, uint32_t b)
{
	uint32_t product = 0;

	for (uint32_t bit = CRC_ONE; bit; bit >>= 1) {
		if (a & bit)
			product ^= b;
		b = crc_times_x(b);
	}
	return product;
}

/* x^n */
static inline uint32_t crc_power(unsigned n)
{
	uint32_t result = CRC_ONE, square = crc_times_x(CRC_ONE);

	for (; n; n >>= 1) {
		if (n & 1)
			result = crc_times(result, square);
		square = crc_times(square, square);
	}
	return result;
}

#endif
