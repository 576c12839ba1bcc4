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
#include "counters.h"
#include "util.h"

static atomic_bool quiet;

void trace_quietly(bool on)
{
	atomic_store(&quiet, on);
}

uint64_t trace_count(void)
{
	return relink_atomic_load(&counters.traced);
}

static void __attribute__((noinline, cold)) trace_file(const struct file *f)
{
	relink_atomic_inc(&counters.traced);
	if (atomic_load_explicit(&quiet, memory_order_relaxed))
		return;
	flockfile(stderr);
	fputs("trace: ", stderr);
	print_name(stderr, f->path, SIZE_MAX);
	fputc('\n', stderr);
	funlockfile(stderr);
}

/* 0 or an error number; no stream either if it is not a regular file any more. O_NONBLOCK in case it has become a pipe. */
static int file_open(const struct file *f, struct stream *s, bool *not_regular)
{
	struct stat st;
	int error = 0;

	*not_regular = false;
	s->fd = open(f->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | (f->given ? 0 : O_NOFOLLOW));
	if (s->fd < 0)
		return errno;
	if (fstat(s->fd, &st))
		error = errno;
	else
		*not_regular = !S_ISREG(st.st_mode);
	if (error || *not_regular)
		close(s->fd);
	return error;
}

/* In views, as the source likes them; what scan_some leaves of one is at the front of the next. */
static int scan_stream(struct stream *s, uint8_t *buffer, struct result *found)
{
	struct view v = { .last = false };

	while (!v.last) {
		struct result r = *found;
		size_t done;
		int error = source_look(s, buffer, &v);

		if (error)
			return error;
		done = scan_some(&r, v.data, v.size, v.last);
		if (!stream_held(s, &v)) {
			v.last = false;
			continue;
		}
		*found = r;
		s->offset += done;
	}
	return 0;
}

static int scan_kept(struct file *f, struct stream *s)
{
	ssize_t n;

	f->data = alloc(f->size, 1);
	n = source_fill(s, f->data, f->size);
	if (n < 0)
		return errno;
	scan_some(&f->found, f->data, (size_t)n, true);
	return 0;
}

void file_read(struct file *f, uint8_t *buffer, bool keep)
{
	struct stream s = { .size = f->size };

	f->found = (struct result)RESULT_OF_NOTHING;
	f->error = file_open(f, &s, &f->not_regular);
	if (f->error || f->not_regular)
		return;
	source_begin(&s);
	if (relink_unlikely(trace))
		trace_file(f);
	f->error = keep ? scan_kept(f, &s) : scan_stream(&s, buffer, &f->found);
	stream_close(&s);
	if (!f->error)
		return;
	free(f->data);
	f->data = NULL;
	f->found = (struct result)RESULT_OF_NOTHING;
}

bool file_reread(const struct file *f, uint8_t *buffer, struct result *r)
{
	struct stream s = { .size = f->found.bytes };
	bool not_regular;
	int error;

	*r = (struct result)RESULT_OF_NOTHING;
	if (file_open(f, &s, &not_regular) || not_regular)
		return false;
	source_begin(&s);
	if (relink_unlikely(trace))
		trace_file(f);
	error = scan_stream(&s, buffer, r);
	stream_close(&s);
	return !error;
}

/* Nothing here goes through the table. */
bool file_is_unchanged(const struct file *f, uint8_t *buffer)
{
	struct stream s = { .size = f->found.bytes };
	struct view v = { .last = false };
	bool same = true, not_regular;

	if (file_open(f, &s, &not_regular) || not_regular)
		return false;
	while (same && !v.last) {
		same = !relink_backend_op(source, read_source, look)(&s, buffer, &v) && memcmp(v.data, f->data + s.offset, v.size) == 0;
		s.offset += v.size;
	}
	stream_close(&s);
	return same && s.offset == f->found.bytes;
}

struct result file_scan(const struct file *f)
{
	struct result r = RESULT_OF_NOTHING;

	if (relink_unlikely(trace))
		trace_file(f);
	scan_some(&r, f->data, f->found.bytes, true);
	return r;
}
