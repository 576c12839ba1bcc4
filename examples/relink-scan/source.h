/* SPDX-License-Identifier: MIT */
/*
 * source.h - how files are read: an operations table, `source`, with these backends.
 *
 *	read_source   pread, into the buffer of the worker
 *	ahead_source  the same, after the kernel was told to read ahead
 *	mmap_source   the file is mapped and looked at where it lies
 *
 * The table is exchanged while files are open: one backend begins a file and another one goes on with it. So what there is
 * to know about a file that is being read is in struct stream, every member takes it as any other backend left it, and
 * nothing is closed through the table: whoever opened something may be gone by then.
 */
#ifndef SCAN_SOURCE_H
#define SCAN_SOURCE_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <relink/relink.h>

struct stream {
	int fd;
	uint64_t size;   /* no more than this of the file is of interest */
	uint64_t offset; /* what is looked at next */
	uint8_t *map;    /* the first `mapped` bytes of the file, or NULL */
	size_t mapped;
	volatile sig_atomic_t torn; /* some of the map was not there when it was looked at */
};

struct view {
	const uint8_t *data;
	size_t size;
	bool last; /* the file has no more, or no more of interest */
};

/*
 *	begin  the file has just been opened
 *	look   what is at the offset: more than a block (scan.h) unless it is the last. May use `buffer`, which has
 *	       INPUT_BUFFER bytes. 0 or an error number
 *	fill   `size` bytes from the offset on; how many there were, or -1 and errno
 */
#define SOURCE_OPS(op) \
	op(void, begin, (struct stream *s)) \
	op(int, look, (struct stream *s, uint8_t *buffer, struct view *v)) \
	op(ssize_t, fill, (struct stream *s, uint8_t *to, size_t size))
RELINK_DECLARE_OPS(source, SOURCE_OPS);

extern const struct source_ops read_source, ahead_source, mmap_source;

#define INPUT_BUFFER ((size_t)128 << 10)

/*
 * Was what was seen of `v` what the file has? Maps are not told when a file becomes shorter: pages that have gone are
 * replaced by zeros when they are touched, and the rest of the last page becomes zeros by itself. False: the view was of
 * such a map, which has been given up; look again, at the same offset.
 */
bool stream_held(struct stream *s, const struct view *v);
void stream_close(struct stream *s);

#endif
