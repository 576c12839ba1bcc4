/* SPDX-License-Identifier: MIT */
/*
 * routines.h - the inner routines of the scanner, every variant of each.
 *
 *	crc_*    CRC-32C of a buffer. `crc` is the value so far, 0 for a start; crc(crc(0, a), b) is that of a then b
 *	lines_*  how many newlines a buffer has
 *	utf8_*   whether a buffer is well-formed UTF-8 (Unicode 15, table 3-7); no sequence may lie across its ends
 *
 * All variants of a routine give the same results; those after the generic one need the CPU features that choices.c
 * names. Nothing here knows of relink.
 */
#ifndef SCAN_ROUTINES_H
#define SCAN_ROUTINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint32_t crc_fn(uint32_t crc, const void *data, size_t size);
typedef uint64_t lines_fn(const void *data, size_t size);
typedef bool utf8_fn(const void *data, size_t size);

crc_fn crc_generic, crc_sse42, crc_vpclmul;
lines_fn lines_generic, lines_sse2, lines_avx2, lines_avx512;
utf8_fn utf8_generic, utf8_ssse3, utf8_avx2, utf8_avx512;

#endif
