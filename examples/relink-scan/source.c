/* SPDX-License-Identifier: MIT */
/* source.c - the operations table `source`, and the backends that read. */
#include "source.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "source_map.h"

/*
 * Reading is best unless something else is known of the disks and files, so the others rank below the default: they are
 * there for whoever has measured and asks for them. They need no condition: what can't be mapped is read.
 */
RELINK_DEFINE_OPS(source, SOURCE_OPS, read_source, "how files are read");
RELINK_BACKEND(source, ahead_source, .rank = -1);
RELINK_BACKEND(source, mmap_source, .rank = -2);

/* Not read(): the place in the file is the stream's, since the next backend may never have moved the descriptor's. */
static ssize_t read_fill(struct stream *s, uint8_t *to, size_t size)
{
	size_t have = 0;

	while (have < size) {
		ssize_t n = pread(s->fd, to + have, size - have, (off_t)(s->offset + have));

		if (n == 0)
			break;
		if (n < 0 && errno != EINTR)
			return -1;
		have += n > 0 ? (size_t)n : 0;
	}
	return (ssize_t)have;
}

static int read_look(struct stream *s, uint8_t *buffer, struct view *v)
{
	uint64_t left = s->size - s->offset;
	size_t want = left < INPUT_BUFFER ? (size_t)left : INPUT_BUFFER;
	ssize_t n = read_fill(s, buffer, want);

	if (n < 0)
		return errno;
	*v = (struct view){ .data = buffer, .size = (size_t)n, .last = (size_t)n < want || want == left };
	return 0;
}

const struct source_ops read_source = { .begin = RELINK_OP_NOP(source, begin), .look = read_look, .fill = read_fill };

/* Advice: whether it was taken does not matter. */
static void ahead_begin(struct stream *s)
{
	posix_fadvise(s->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	posix_fadvise(s->fd, 0, (off_t)s->size, POSIX_FADV_WILLNEED);
}

const struct source_ops ahead_source = { .begin = ahead_begin, .look = read_look, .fill = read_fill };

void stream_close(struct stream *s)
{
	source_unmap(s);
	close(s->fd);
}
