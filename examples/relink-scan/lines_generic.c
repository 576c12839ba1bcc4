/* SPDX-License-Identifier: MIT */
/* lines_generic.c - newlines, one byte at a time; any machine. */
#include "routines.h"

uint64_t lines_generic(const void *data, size_t size)
{
	const uint8_t *p = data, *end = p + size;
	uint64_t count = 0;

	for (; p < end; p++)
		count += *p == '\n';
	return count;
}
