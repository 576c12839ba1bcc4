/* SPDX-License-Identifier: MIT */
/*
 * test_source.c - the backends of `source`: one gives what another gives, also where they take turns within a file, where
 * the file becomes shorter while it is read, and where the table is exchanged by another thread.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "scan.h"
#include "source.h"

#define LARGEST ((size_t)3 << 20)

static const struct source_ops *const backends[] = { &read_source, &ahead_source, &mmap_source };
static const char *const names[] = { "read", "ahead", "mmap" };
#define BACKENDS 3

static unsigned failures;
static uint8_t *content, buffer[INPUT_BUFFER];
static char path[] = "/tmp/relink-scan-test.XXXXXX";

static void check(bool ok, const char *what, const char *who, size_t size)
{
	if (!ok && failures++ < 20)
		printf("FAILED: %s, %s, %zu bytes\n", what, who, size);
}

/* What the program can't do without. */
static void need(bool ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	exit(2);
}

/* The file has the first `size` bytes of `content`. */
static void make_file(size_t size)
{
	int fd = open(path, O_WRONLY | O_TRUNC);

	need(fd >= 0 && pwrite(fd, content, size, 0) == (ssize_t)size && close(fd) == 0, path);
}

static struct stream open_stream(size_t size)
{
	struct stream s = { .fd = open(path, O_RDONLY), .size = size };

	need(s.fd >= 0, path);
	return s;
}

/* Does `v` say what the file has, whose length is `length`? */
static bool view_is(const struct stream *s, const struct view *v, size_t length)
{
	uint64_t end = s->offset + v->size;

	return end <= length && (v->last ? end == length || end == s->size : v->size > SCAN_BLOCK) &&
	       memcmp(v->data, content + s->offset, v->size) == 0;
}

/* By views, each through the next backend of the list that `turns` spells; half of each is looked at again. */
static void test_views(size_t size, size_t wanted, const char *turns)
{
	struct stream s = open_stream(wanted);
	struct view v = { .last = false };
	bool right;

	relink_backend_op(source, *backends[turns[0] - '0'], begin)(&s);
	for (size_t i = 0; !v.last; i++) {
		if (relink_backend_op(source, *backends[turns[i % strlen(turns)] - '0'], look)(&s, buffer, &v)) {
			check(false, "look", turns, size);
			break;
		}
		right = view_is(&s, &v, size);
		if (!stream_held(&s, &v)) {
			v.last = false;
			continue;
		}
		check(right, "a view", turns, size);
		s.offset += v.last ? v.size : v.size - SCAN_BLOCK / 2;
	}
	check(s.offset == (wanted < size ? wanted : size), "all views", turns, size);
	stream_close(&s);
}

static void test_fill(size_t size, size_t wanted, const char *turns)
{
	struct stream s = open_stream(wanted);
	uint8_t *to = malloc(wanted + 1);
	size_t expected = wanted < size ? wanted : size;

	need(to != NULL, "malloc");
	to[wanted] = 0x5a;
	relink_backend_op(source, *backends[turns[0] - '0'], begin)(&s);
	check(relink_backend_op(source, *backends[turns[strlen(turns) - 1] - '0'], fill)(&s, to, wanted) == (ssize_t)expected &&
	      memcmp(to, content, expected) == 0 && to[wanted] == 0x5a, "fill", turns, size);
	stream_close(&s);
	free(to);
}

/* Shorter, as long as and longer than what is wanted of them. */
static void test_sizes(void)
{
	static const size_t sizes[] = { 0, 1, 4095, 4096, 4097, SCAN_BLOCK, INPUT_BUFFER, INPUT_BUFFER + 1,
					(1 << 20) + 5, LARGEST };
	static const char *const turns[] = { "0", "1", "2", "02", "20", "21", "2011", "2200" };

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		make_file(sizes[i]);
		for (size_t k = 0; k < sizeof(turns) / sizeof(turns[0]); k++) {
			test_views(sizes[i], sizes[i], turns[k]);
			test_views(sizes[i], sizes[i] / 2, turns[k]);
			test_views(sizes[i], sizes[i] + 10000, turns[k]);
			test_fill(sizes[i], sizes[i], turns[k]);
			test_fill(sizes[i], sizes[i] / 2, turns[k]);
			test_fill(sizes[i], sizes[i] + 10000, turns[k]);
		}
	}
}

/* ---- files that become shorter ---- */

/* Reads a byte of each page: what a scan does at least. */
static unsigned touch(const struct view *v)
{
	const volatile uint8_t *data = v->data;
	unsigned sum = 0;

	for (size_t i = 0; i < v->size; i += 512)
		sum += data[i];
	return sum;
}

static void cut_file(size_t size)
{
	need(truncate(path, (off_t)size) == 0, path);
}

/* After a view was given and before it is looked at. */
static void test_cut(unsigned backend, size_t size, size_t after)
{
	struct stream s = open_stream(size);
	struct view v;

	make_file(size);
	relink_backend_op(source, *backends[backend], begin)(&s);
	check(!relink_backend_op(source, *backends[backend], look)(&s, buffer, &v), "look", names[backend], size);
	cut_file(after);
	touch(&v);
	if (!stream_held(&s, &v)) {
		check(!relink_backend_op(source, *backends[backend], look)(&s, buffer, &v) && view_is(&s, &v, after), "a second look", names[backend],
		      after);
		check(stream_held(&s, &v), "what was read", names[backend], after);
	} else {
		check(backend != 2, "it went unnoticed", names[backend], after);
	}
	stream_close(&s);
}

static void test_cuts(void)
{
	static const size_t after[] = { 0, 1, 5000, 8192, 65536, 99999 };

	for (unsigned backend = 0; backend < BACKENDS; backend++)
		for (size_t i = 0; i < sizeof(after) / sizeof(after[0]); i++)
			test_cut(backend, 100000, after[i]);
}

static atomic_bool stop;

static void *cut_and_mend(void *arg)
{
	uint32_t random = 12345;
	int fd = open(path, O_WRONLY);

	need(fd >= 0, path);
	while (!atomic_load(&stop)) {
		random = random * 1664525 + 1013904223;
		need(ftruncate(fd, random % (uint32_t)LARGEST) == 0, "ftruncate");
		need(pwrite(fd, content, LARGEST, 0) == (ssize_t)LARGEST, "pwrite");
	}
	close(fd);
	return arg;
}

/* Nothing can be said of what is read, but that there is an end of it. */
static void test_storm(void)
{
	struct relink_error err;
	pthread_t thread;
	unsigned sum = 0;

	make_file(LARGEST);
	need(pthread_create(&thread, NULL, cut_and_mend, NULL) == 0, "pthread_create");
	for (int round = 0; round < 300; round++) {
		struct stream s = open_stream(LARGEST);
		struct view v = { .last = false };

		if (relink_bind_ops(source, backends[round % BACKENDS], &err) < 0)
			check(false, relink_error_text(&err), names[round % BACKENDS], 0);
		source_begin(&s);
		while (!v.last && !source_look(&s, buffer, &v)) {
			sum += touch(&v);
			if (stream_held(&s, &v))
				s.offset += v.size;
			else
				v.last = false;
		}
		stream_close(&s);
	}
	atomic_store(&stop, true);
	pthread_join(thread, NULL);
	printf("files that become shorter while they are read: survived (%u)\n", sum);
}

/* ---- through the table, exchanged meanwhile ---- */

static void *exchange(void *arg)
{
	struct relink_error err;

	for (unsigned i = 0; !atomic_load(&stop); i++)
		if (relink_bind_ops(source, backends[i % BACKENDS], &err) < 0) {
			check(false, relink_error_text(&err), names[i % BACKENDS], 0);
			break;
		}
	return arg;
}

static void test_exchange(void)
{
	pthread_t thread;

	atomic_store(&stop, false);
	make_file(LARGEST);
	need(pthread_create(&thread, NULL, exchange, NULL) == 0, "pthread_create");
	for (int round = 0; round < 300; round++) {
		struct stream s = open_stream(LARGEST);
		struct view v = { .last = false };

		source_begin(&s);
		while (!v.last && !source_look(&s, buffer, &v)) {
			check(view_is(&s, &v, LARGEST) && stream_held(&s, &v), "a view", "exchanged", LARGEST);
			s.offset += v.size;
		}
		check(s.offset == LARGEST, "all views", "exchanged", LARGEST);
		stream_close(&s);
	}
	atomic_store(&stop, true);
	pthread_join(thread, NULL);
}

int main(void)
{
	int fd = mkstemp(path);
	uint64_t x = 0x9e3779b97f4a7c15u;

	need(fd >= 0 && close(fd) == 0, path);
	content = malloc(LARGEST);
	need(content != NULL, "malloc");
	for (size_t i = 0; i < LARGEST; i++) {
		x = x * 6364136223846793005u + 1442695040888963407u;
		content[i] = (uint8_t)(x >> 56);
	}
	test_sizes();
	test_cuts();
	test_storm();
	test_exchange();
	unlink(path);
	free(content);
	puts(failures ? "FAILED" : "all backends agree");
	return failures != 0;
}
