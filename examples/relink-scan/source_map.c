/* SPDX-License-Identifier: MIT */
/*
 * source_map.c - the backend that maps files.
 *
 * A file may become shorter while it is mapped. Touching a page that it has not any more raises SIGBUS; the handler puts
 * zeros there, so that the scan goes on, and notes it. Once a view has been scanned, stream_held() looks for such notes and
 * at the length of the file; if either says so the map is given up and the view read again: what comes out is then
 * what pread says, which is what the other backends say.
 */
#include "source_map.h"

#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define WINDOW ((size_t)1 << 20)

/* The only one whose map this thread may be looking at. */
static _Thread_local struct stream *volatile mapped_here;
static uintptr_t page = 4096;

static bool is_in_map(const struct stream *s, uintptr_t address)
{
	return s && s->map && address >= (uintptr_t)s->map && address - (uintptr_t)s->map < s->mapped;
}

/* All that follows in the map is gone as well: one signal does. Any other SIGBUS ends the program when it comes again. */
static void put_zeros(int number, siginfo_t *info, void *context)
{
	struct stream *s = mapped_here;
	uintptr_t from = (uintptr_t)info->si_addr & ~(page - 1);

	(void)context;
	if (is_in_map(s, (uintptr_t)info->si_addr)) {
		size_t size = (size_t)((uintptr_t)s->map + s->mapped - from);

		s->torn = 1;
		if (mmap((void *)from, size, PROT_READ, MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED)
			return;
	}
	signal(number, SIG_DFL);
}

static void catch_sigbus(void)
{
	struct sigaction action = { .sa_sigaction = put_zeros, .sa_flags = SA_SIGINFO };

	page = (uintptr_t)sysconf(_SC_PAGESIZE);
	sigaction(SIGBUS, &action, NULL);
}

static void map_begin(struct stream *s)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	void *map;

	if (s->size == 0 || s->size > SIZE_MAX / 4)
		return;
	pthread_once(&once, catch_sigbus);
	map = mmap(NULL, (size_t)s->size, PROT_READ, MAP_PRIVATE, s->fd, 0);
	if (map == MAP_FAILED)
		return;
	s->map = map;
	s->mapped = (size_t)s->size;
	mapped_here = s;
}

void source_unmap(struct stream *s)
{
	if (!s->map)
		return;
	mapped_here = NULL;
	munmap(s->map, s->mapped);
	s->map = NULL;
	s->torn = 0;
}

bool stream_held(struct stream *s, const struct view *v)
{
	struct stat st;

	if (!v->size || !is_in_map(s, (uintptr_t)v->data))
		return true;
	if (!s->torn && fstat(s->fd, &st) == 0 && (uint64_t)st.st_size >= (uint64_t)(v->data - s->map) + v->size)
		return true;
	source_unmap(s);
	return false;
}

static int map_look(struct stream *s, uint8_t *buffer, struct view *v)
{
	uint64_t left = s->size - s->offset;

	if (!s->map)
		return relink_backend_op(source, read_source, look)(s, buffer, v);
	v->data = s->map + s->offset;
	v->size = left < WINDOW ? (size_t)left : WINDOW;
	v->last = v->size == left;
	return 0;
}

static ssize_t map_fill(struct stream *s, uint8_t *to, size_t size)
{
	struct view v;

	if (s->map && s->offset < s->mapped && size <= s->mapped - s->offset) {
		v = (struct view){ .data = s->map + s->offset, .size = size };
		memcpy(to, v.data, size);
		if (stream_held(s, &v))
			return (ssize_t)size;
	}
	return relink_backend_op(source, read_source, fill)(s, to, size);
}

const struct source_ops mmap_source = { .begin = map_begin, .look = map_look, .fill = map_fill };
