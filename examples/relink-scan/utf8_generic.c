/* SPDX-License-Identifier: MIT */
/* utf8_generic.c - is it UTF-8? One character at a time, eight where they are ASCII; any machine. */
#include "routines.h"

#include <string.h>

static bool is_within(uint8_t byte, uint8_t low, uint8_t high)
{
	return byte >= low && byte <= high;
}

static bool is_continuation(uint8_t byte)
{
	return (byte & 0xc0) == 0x80;
}

/* The second byte decides what the first leaves open: overlong forms, surrogates, beyond U+10FFFF. */
static bool second_is_good(uint8_t first, uint8_t second)
{
	switch (first) {
	case 0xe0: return is_within(second, 0xa0, 0xbf);
	case 0xed: return is_within(second, 0x80, 0x9f);
	case 0xf0: return is_within(second, 0x90, 0xbf);
	case 0xf4: return is_within(second, 0x80, 0x8f);
	default: return is_continuation(second);
	}
}

/* How many bytes a character has by its first byte; 0 for a byte that can't be first. */
static size_t length_by_first(uint8_t first)
{
	if (first < 0x80)
		return 1;
	if (is_within(first, 0xc2, 0xdf))
		return 2;
	if (is_within(first, 0xe0, 0xef))
		return 3;
	return is_within(first, 0xf0, 0xf4) ? 4 : 0;
}

/* The length of the character at p, 0 if there is none. */
static size_t character(const uint8_t *p, size_t left)
{
	size_t length = length_by_first(p[0]);

	if (length == 0 || length > left || (length > 1 && !second_is_good(p[0], p[1])))
		return 0;
	for (size_t i = 2; i < length; i++)
		if (!is_continuation(p[i]))
			return 0;
	return length;
}

static bool is_ascii8(const uint8_t *p)
{
	uint64_t word;

	memcpy(&word, p, 8);
	return (word & 0x8080808080808080u) == 0;
}

bool utf8_generic(const void *data, size_t size)
{
	const uint8_t *p = data;

	while (size) {
		size_t step = size >= 8 && is_ascii8(p) ? 8 : character(p, size);

		if (step == 0)
			return false;
		p += step;
		size -= step;
	}
	return true;
}
