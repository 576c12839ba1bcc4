/* SPDX-License-Identifier: MIT */
/*
 * scan.c - what is computed of a file.
 *
 * A file goes through the routines block by block, so that a block is read from memory once and from the cache after, and
 * so that a change of variant is felt within a file.
 */
#include "scan.h"

#include "choices.h"

bool result_equal(const struct result *a, const struct result *b)
{
	return a->bytes == b->bytes && a->lines == b->lines && a->crc == b->crc && a->utf8 == b->utf8;
}

/* A file that is not UTF-8 stays so: the rest needs no look. */
static void scan_block(struct result *r, const uint8_t *data, size_t size)
{
	r->crc = crc(r->crc, data, size);
	r->lines += lines(data, size);
	if (r->utf8)
		r->utf8 = utf8(data, size);
	r->bytes += size;
}

/*
 * Where to cut more than a block: before a byte that begins a character. A text is well-formed if and only if both
 * parts of such a cut are. Where four bytes in a row begin none, it is not, whatever the cut.
 */
static size_t cut(const uint8_t *data)
{
	for (size_t size = SCAN_BLOCK; size > SCAN_BLOCK - 4; size--)
		if ((data[size] & 0xc0) != 0x80)
			return size;
	return SCAN_BLOCK;
}

size_t scan_some(struct result *r, const uint8_t *data, size_t size, bool last)
{
	size_t done = 0;

	while (size - done > SCAN_BLOCK) {
		size_t block = cut(data + done);

		scan_block(r, data + done, block);
		done += block;
	}
	if (!last || done == size)
		return done;
	scan_block(r, data + done, size - done);
	return size;
}

struct result scan_reference(const uint8_t *data, size_t size)
{
	return (struct result){
		.bytes = size,
		.lines = lines_generic(data, size),
		.crc = crc_generic(0, data, size),
		.utf8 = utf8_generic(data, size),
	};
}
