/* SPDX-License-Identifier: MIT */
/* input.c - reads files and scans them. */
#include "input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "choices.h"
#include "util.h"

static atomic_bool quiet;
static _Atomic uint64_t traced;

void trace_quietly(bool on)
{
	atomic_store(&quiet, on);
}

uint64_t trace_count(void)
{
	return atomic_load(&traced);
}

static void __attribute__((noinline, cold)) trace_file(const struct file *f)
{
	atomic_fetch_add_explicit(&traced, 1, memory_order_relaxed);
	if (atomic_load_explicit(&quiet, memory_order_relaxed))
		return;
	flockfile(stderr);
	fputs("trace: ", stderr);
	print_name(stderr, f->path, SIZE_MAX);
	fputc('\n', stderr);
	funlockfile(stderr);
}

/* -1 with the reason in *f, or a descriptor. O_NONBLOCK in case it has become a pipe. */
static int file_open(struct file *f)
{
	int fd = open(f->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | (f->given ? 0 : O_NOFOLLOW));
	struct stat st;

	if (fd < 0 || fstat(fd, &st)) {
		f->error = errno;
	} else if (!S_ISREG(st.st_mode)) {
		f->not_regular = true;
	} else {
		return fd;
	}
	if (fd >= 0)
		close(fd);
	return -1;
}

/* Fills the buffer as far as the file goes; the number of bytes, or -1. */
static ssize_t read_full(int fd, uint8_t *buffer, size_t size)
{
	size_t have = 0;

	while (have < size) {
		ssize_t n = read(fd, buffer + have, size - have);

		if (n == 0)
			break;
		if (n < 0 && errno != EINTR)
			return -1;
		have += n > 0 ? (size_t)n : 0;
	}
	return (ssize_t)have;
}

/* The file in pieces; what scan_some leaves of one moves to the front of the next. */
static int scan_stream(struct file *f, int fd, uint8_t *buffer)
{
	uint64_t left = f->size;
	size_t kept = 0;
	bool last;

	do {
		size_t want = left < INPUT_BUFFER - kept ? (size_t)left : INPUT_BUFFER - kept;
		ssize_t n = read_full(fd, buffer + kept, want);
		size_t have, done;

		if (n < 0)
			return errno;
		have = kept + (size_t)n;
		left -= (size_t)n;
		last = left == 0 || (size_t)n < want;
		done = scan_some(&f->found, buffer, have, last);
		kept = have - done;
		memmove(buffer, buffer + done, kept);
	} while (!last);
	return 0;
}

static int scan_kept(struct file *f, int fd)
{
	ssize_t n;

	f->data = alloc(f->size, 1);
	n = read_full(fd, f->data, f->size);
	if (n < 0)
		return errno;
	scan_some(&f->found, f->data, (size_t)n, true);
	return 0;
}

void file_read(struct file *f, uint8_t *buffer, bool keep)
{
	int fd = file_open(f);

	f->found = (struct result)RESULT_OF_NOTHING;
	if (fd < 0)
		return;
	if (relink_unlikely(trace))
		trace_file(f);
	f->error = keep ? scan_kept(f, fd) : scan_stream(f, fd, buffer);
	close(fd);
	if (!f->error)
		return;
	free(f->data);
	f->data = NULL;
	f->found = (struct result)RESULT_OF_NOTHING;
}

struct result file_scan(const struct file *f)
{
	struct result r = RESULT_OF_NOTHING;

	if (relink_unlikely(trace))
		trace_file(f);
	scan_some(&r, f->data, f->found.bytes, true);
	return r;
}
