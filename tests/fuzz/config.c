/* SPDX-License-Identifier: MIT */
/*
 * config.c - fuzzes lists of name=state, from a configuration file and from a command line: any bytes are one. They are put to a
 * program that has choices of several kinds, and uses of keys.
 */
#include <stdio.h>
#include <sys/mman.h>

#include <relink/relink.h>
#include <relink/immediate.h>
#include <relink/use.h>

/* The reader of files is nobody else's business. */
#include "runtime/config.c"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

RELINK_KEY_FALSE(trace, "a key");
RELINK_KEY_ARRAY_FALSE(queues, 3, "an array");
RELINK_OPTION(idle, "an option", halt, poll, sleep);
RELINK_IMMEDIATE(int, offset, -5, "a number");

int fuzz_uses(void);

__attribute__((noinline)) int fuzz_uses(void)
{
	int n = relink_here(trace, "first: %d") ? 1 : 0;

	if (relink_here(queues[1], "second \"quoted\""))
		n += 2;
	return n + relink_immediate(offset) + (relink_option_is(idle, poll) ? 8 : 0);
}

static void fuzz_require(bool condition)
{
	if (!condition)
		abort();
}

static void fuzz_entries(const char *text)
{
	const char *at = text, *stop = text + strlen(text), *last;
	struct rl_entry e;

	for (last = at; rl_next_entry(&at, &e); last = at) {
		fuzz_require(at > last && at <= stop);
		fuzz_require(e.name >= last && e.name_length <= (size_t)(at - e.name));
		if (e.query)
			rl_queries_check(e.name, e.name_length, NULL);
		else
			fuzz_require(e.state_length <= strlen(e.state));
	}
}

static void forget_lists(void)
{
	for (int level = 0; level < RELINK_LEVELS; level++) {
		free(rl_runtime.lists[level]);
		rl_runtime.lists[level] = NULL;
	}
}

/* What is read is the file up to its first NUL, without comments, and notes about it fit. */
static void fuzz_file(const uint8_t *bytes, size_t size)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	char path[40], notes[512];
	const char *list;

	if (fd < 0)
		return;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (write(fd, bytes, size) == (ssize_t)size && !rl_lock(NULL)) {
		struct reading reading = { .list = NULL };

		reading.notes = rl_text_into(reading.said, sizeof(reading.said));
		fuzz_require(read_file(&reading, path));
		list = reading.list;
		fuzz_require(size >= FILE_MAX ? !list : list && strlen(list) == strnlen((const char *)bytes, size) && !strchr(list, '#'));
		fuzz_require(!reload(&reading, NULL));
		memset(notes, 'x', sizeof(notes));
		rl_list_notes(notes, sizeof(notes));
		fuzz_require(memchr(notes, 0, sizeof(notes)) != NULL);
		forget_lists();
		rl_unlock();
	}
	close(fd);
}

static void fuzz_command_line(const char *text)
{
	struct relink_error err = { .code = 0 };
	int r = relink_apply(text, &err);

	fuzz_require(r >= 0 || (err.code == r && *err.text && memchr(err.text, 0, sizeof(err.text))));
	fuzz_uses();
	if (!rl_lock(NULL)) {
		forget_lists();
		rl_unlock();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	char *text = malloc(size + 1);

	if (!text)
		return 0;
	memcpy(text, bytes, size);
	text[size] = 0;
	fuzz_entries(text);
	fuzz_file(bytes, size);
	fuzz_command_line(text);
	free(text);
	return 0;
}
