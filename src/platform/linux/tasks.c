/* SPDX-License-Identifier: MIT */
/* tasks.c - the threads of this process as /proc shows them. Raw system calls, no allocation: others may stand still. */
#include "park.h"

#ifdef RL_X86_64

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

/* ---- the list ---- */

struct entry { /* struct linux_dirent64 */
	uint64_t inode;
	int64_t offset;
	uint16_t length;
	uint8_t type;
	char name[];
};

RL_RAW long rl_tasks_open(struct rl_tasks *tasks)
{
	tasks->descriptor = rl_syscall(SYS_openat, AT_FDCWD, (long)"/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	return tasks->descriptor < 0 ? tasks->descriptor : 0;
}

RL_RAW void rl_tasks_close(struct rl_tasks *tasks)
{
	rl_syscall(SYS_close, tasks->descriptor, 0, 0, 0);
}

RL_RAW unsigned rl_tasks_count(struct rl_tasks *tasks)
{
	struct stat status;

	if (rl_syscall(SYS_newfstatat, tasks->descriptor, (long)"", (long)&status, AT_EMPTY_PATH) < 0 || status.st_nlink < 3)
		return 0;
	return (unsigned)status.st_nlink - 2;
}

/* 0 for what is not a number: "." and "..". */
RL_RAW static int32_t thread_of(const char *name)
{
	int32_t thread = 0;

	for (; *name >= '0' && *name <= '9'; name++)
		thread = thread * 10 + (*name - '0');
	return *name ? 0 : thread;
}

RL_RAW long rl_tasks_each(struct rl_tasks *tasks, void (*visit)(int32_t thread, void *ctx), void *ctx)
{
	long count = 0, got = rl_syscall(SYS_lseek, tasks->descriptor, 0, SEEK_SET, 0);

	if (got < 0)
		return got;
	for (;;) {
		got = rl_syscall(SYS_getdents64, tasks->descriptor, (long)tasks->buffer, sizeof(tasks->buffer), 0);
		if (got <= 0)
			return got < 0 ? got : count;
		for (long at = 0; at < got;) {
			const struct entry *entry = (const struct entry *)(const void *)(tasks->buffer + at);
			int32_t thread = thread_of(entry->name);

			if (thread) {
				visit(thread, ctx);
				count++;
			}
			at += entry->length;
		}
	}
}

/* ---- one thread ---- */

struct reader {
	long descriptor;
	size_t at, have;
	char buffer[512];
};

RL_RAW static int next(struct reader *r)
{
	if (r->at == r->have) {
		long got = rl_syscall(SYS_read, r->descriptor, (long)r->buffer, sizeof(r->buffer), 0);

		if (got <= 0)
			return -1;
		r->at = 0;
		r->have = (size_t)got;
	}
	return (unsigned char)r->buffer[r->at++];
}

/* The word before the colon, and what follows the tab; longer lines are cut. False at the end. */
RL_RAW static bool read_line(struct reader *r, char *word, char *value, size_t size)
{
	size_t length = 0;
	int one = next(r);

	for (; one >= 0 && one != ':' && one != '\n'; one = next(r))
		if (length + 1 < size)
			word[length++] = (char)one;
	word[length] = '\0';
	length = 0;
	for (one = one == ':' ? next(r) : one; one >= 0 && one != '\n'; one = next(r))
		if (one != '\t' && length + 1 < size)
			value[length++] = (char)one;
	value[length] = '\0';
	return one >= 0;
}

RL_RAW static bool is(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return *a == *b;
}

RL_RAW static uint64_t hexadecimal(const char *digits)
{
	uint64_t value = 0;

	for (; *digits; digits++)
		value = value << 4 | (uint64_t)(*digits <= '9' ? *digits - '0' : *digits - 'a' + 10);
	return value;
}

RL_RAW static void take_line(const char *word, const char *value, struct rl_task_state *state)
{
	if (is(word, "Name"))
		for (size_t i = 0; i + 1 < sizeof(state->name) && value[i]; i++)
			state->name[i] = value[i];
	else if (is(word, "State"))
		state->state = value[0];
	else if (is(word, "SigPnd"))
		state->pending = hexadecimal(value);
	else if (is(word, "SigBlk"))
		state->blocked = hexadecimal(value);
}

/* "/proc/self/task/" NUMBER "/status" */
RL_RAW static void path_of(int32_t thread, char *path)
{
	static const char before[] = "/proc/self/task/", after[] = "/status";
	char digits[12];
	size_t n = sizeof(digits);

	do
		digits[--n] = (char)('0' + thread % 10);
	while (thread /= 10);
	for (size_t i = 0; before[i]; i++)
		*path++ = before[i];
	while (n < sizeof(digits))
		*path++ = digits[n++];
	for (size_t i = 0; i < sizeof(after); i++)
		*path++ = after[i];
}

RL_RAW void rl_task_look(int32_t thread, struct rl_task_state *state)
{
	struct reader reader;
	char path[48], word[32], value[32];

	__builtin_memset(state, 0, sizeof(*state));
	reader.at = reader.have = 0;
	path_of(thread, path);
	reader.descriptor = rl_syscall(SYS_openat, AT_FDCWD, (long)path, O_RDONLY | O_CLOEXEC, 0);
	if (reader.descriptor < 0)
		return;
	while (read_line(&reader, word, value, sizeof(word)) && !is(word, "SigBlk"))
		take_line(word, value, state);
	take_line(word, value, state);
	rl_syscall(SYS_close, reader.descriptor, 0, 0, 0);
}

#endif
