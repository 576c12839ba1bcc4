/* SPDX-License-Identifier: MIT */
/*
 * utf8_lookup.h - UTF-8 by table lookup, many bytes at once (the method of Keiser and Lemire, 2021).
 *
 * Everything that can be wrong with a byte and the byte before it shows in three nibbles: both of the earlier byte and the
 * upper one of the later. Each nibble selects a set of complaints that it leaves possible; what all three leave
 * possible is wrong. 16-entry tables are one shuffle instruction.
 *
 *	SHORT      a lead byte, and no continuation after it
 *	LONG       a continuation after ASCII
 *	OVER2      c0, c1: two bytes for what fits one
 *	OVER3      e0 80..9f
 *	SURROGATE  ed a0..bf
 *	LARGE      f4 90..bf, and f5..ff followed by 90..bf
 *	OVER4      f0 80..8f; with another lower nibble, f5..ff followed by 80..8f
 *	PAIR       two continuations: right if and only if a lead byte of a longer sequence stands two or three bytes back,
 *	           which the user of the tables has to compare
 */
#ifndef SCAN_UTF8_LOOKUP_H
#define SCAN_UTF8_LOOKUP_H

#include <stdint.h>

enum {
	SHORT = 0x01, LONG = 0x02, OVER3 = 0x04, LARGE = 0x08, SURROGATE = 0x10, OVER2 = 0x20, OVER4 = 0x40, PAIR = 0x80,
	/* Complaints that the lower nibble of the earlier byte has no say in. */
	ANY = SHORT | LONG | PAIR,
	BEYOND = ANY | LARGE | OVER4,
};

static const uint8_t earlier_upper[16] = {
	LONG, LONG, LONG, LONG, LONG, LONG, LONG, LONG, PAIR, PAIR, PAIR, PAIR,
	SHORT | OVER2, SHORT, SHORT | OVER3 | SURROGATE, SHORT | LARGE | OVER4,
};
static const uint8_t earlier_lower[16] = {
	ANY | OVER2 | OVER3 | OVER4, ANY | OVER2, ANY, ANY, ANY | LARGE, BEYOND, BEYOND, BEYOND,
	BEYOND, BEYOND, BEYOND, BEYOND, BEYOND, BEYOND | SURROGATE, BEYOND, BEYOND,
};
static const uint8_t later_upper[16] = {
	SHORT, SHORT, SHORT, SHORT, SHORT, SHORT, SHORT, SHORT,
	LONG | PAIR | OVER2 | OVER3 | OVER4, LONG | PAIR | OVER2 | OVER3 | LARGE,
	LONG | PAIR | OVER2 | SURROGATE | LARGE, LONG | PAIR | OVER2 | SURROGATE | LARGE,
	SHORT, SHORT, SHORT, SHORT,
};

#endif
