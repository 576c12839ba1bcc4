/* SPDX-License-Identifier: MIT */
/* place.c - what is placed and what had better not be, and what is said of it. place_helper.c does it. */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include "place.h"
#include "place_helper.h"

#define WIDE_STACK (1ull << 36)
#define INTERPRETERS 5 /* as many #! in a row as Linux follows */

/* ---- what the outcome is ---- */

void place_fill(char room[PLACE_ROOM_SIZE], const char *why)
{
	size_t size = why ? strnlen(why, PLACE_WORDS) : 0, used = why ? PLACE_ROOM_SIZE - PLACE_WORDS : 0;

	memset(room, ',', PLACE_ROOM_SIZE);
	memcpy(room, PLACE_ROOM, used);
	for (size_t i = 0; i < size; i++)
		room[used + i] = why[i] == ',' ? ';' : why[i];
}

/* A copy of the environment, in which the outcome can be written; NULL: no memory, or no such place, and `envp` does. */
static char **copy_environment(char *const envp[], struct place_room *room)
{
	size_t count = 0;
	char **copy, *entry;

	room->is_there = false;
	for (; envp[count]; count++) {
		const char *found = strstr(envp[count], PLACE_ROOM);

		if (found && !room->is_there)
			*room = (struct place_room){ count, (size_t)(found - envp[count]), true };
	}
	if (!room->is_there || !(copy = malloc((count + 1) * sizeof(*copy))))
		return NULL;
	memcpy(copy, envp, (count + 1) * sizeof(*copy));
	entry = strdup(envp[room->entry]);
	if (!entry) {
		free(copy);
		return NULL;
	}
	copy[room->entry] = entry;
	return copy;
}

static void drop(char **copy, const struct place_room *room)
{
	int error = errno;

	if (copy)
		free(copy[room->entry]);
	free(copy);
	errno = error;
}

static void note(char **envp, const struct place_room *room, const char *text)
{
	if (envp)
		place_fill(envp[room->entry] + room->offset, text);
}

/* ---- what had better run as it is ---- */

static const char *file_forbids(int fd, char *interpreter, size_t room)
{
	struct stat st;
	ssize_t size;

	if (fstat(fd, &st) < 0)
		return "its file can't be read";
	if (st.st_mode & (S_ISUID | S_ISGID) || fgetxattr(fd, "security.capability", NULL, 0) > 0)
		return "its file gives privileges (set-user-ID or set-group-ID or capabilities)";
	size = pread(fd, interpreter, room - 1, 0);
	interpreter[size > 0 ? size : 0] = '\0';
	return NULL;
}

static bool is_fixed(const char *file)
{
	Elf64_Half type;

	memcpy(&type, file + offsetof(Elf64_Ehdr, e_type), sizeof(type));
	return !memcmp(file, ELFMAG, SELFMAG) && type == ET_EXEC;
}

/* Linux starts what is traced without the privileges of its file. Follows #! as the kernel does. */
static const char *program_forbids(const char *path, bool *fixed)
{
	char line[257] = "", file[257], *name;

	for (int i = 0; i <= INTERPRETERS; i++) {
		int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
		const char *why = "its file can't be read";

		if (fd < 0)
			return why;
		why = file_forbids(fd, line, sizeof(line));
		close(fd);
		if (why || strncmp(line, "#!", 2)) {
			*fixed = is_fixed(line);
			return why;
		}
		name = line + 2 + strspn(line + 2, " \t");
		name[strcspn(name, " \t\n")] = '\0';
		memcpy(file, name, strlen(name) + 1);
		path = file;
	}
	return NULL; /* too many: exec will say so */
}

static bool is_traced(void)
{
	char text[4096], *at;
	int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	ssize_t size = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	text[size > 0 ? size : 0] = '\0';
	at = strstr(text, "\nTracerPid:");
	return at && atoi(at + sizeof("\nTracerPid:") - 1);
}

static const char *process_forbids(void)
{
	if (getpid() == 1)
		return "it is process 1 of its PID namespace and would be left with a dead child";
	if (is_traced())
		return "it is traced already";
	return NULL;
}

/* Returns when nobody traces this process any more; the helper is no child that could be waited for. */
static void dismiss(pid_t helper)
{
	const struct timespec a_moment = { .tv_nsec = 100000 };

	kill(helper, SIGKILL);
	for (int i = 0; i < 10000 && is_traced(); i++)
		nanosleep(&a_moment, NULL);
}

/*
 * Libraries that find no room near a fixed program go where the kernel looks last, between the mappings' usual top and the stack.
 * That is as large as the stack may get; so it may get large until the kernel has chosen that top.
 */
static void widen_stack(struct place_task *task)
{
	struct rlimit wide;

	if (getrlimit(RLIMIT_STACK, &task->stack) < 0 || task->stack.rlim_cur == RLIM_INFINITY)
		return;
	wide = task->stack;
	wide.rlim_cur += WIDE_STACK;
	if (wide.rlim_cur > wide.rlim_max)
		wide.rlim_cur = wide.rlim_max;
	task->stack_is_wide = !setrlimit(RLIMIT_STACK, &wide);
}

static void narrow_stack(struct place_task *task)
{
	if (task->stack_is_wide)
		setrlimit(RLIMIT_STACK, &task->stack);
	task->stack_is_wide = false;
}

int place_exec(const char *path, char *const argv[], char *const envp[])
{
	struct place_answer answer = { .why = "" };
	struct place_task task = { .stack_is_wide = false };
	const char *why = process_forbids();
	char **copy = copy_environment(envp, &task.room);
	char *const *environment = copy ? copy : envp;
	bool fixed = false;
	int channel = -1;

	if (!why)
		why = program_forbids(path, &fixed);
	if (!why && fixed)
		widen_stack(&task);
	if (!why)
		channel = place_helper_start(&task, &answer);
	if (channel >= 0) {
		note(copy, &task.room, "the helper process ended early");
		execve(path, argv, environment);
		/* Perhaps a policy against programs that are traced; whatever it was, it is not ours to report. */
		dismiss(answer.pid);
		close(channel);
		snprintf(answer.why, sizeof(answer.why), "it can't be executed while it is traced");
	}
	narrow_stack(&task);
	note(copy, &task.room, why ? why : answer.why);
	execve(path, argv, environment);
	drop(copy, &task.room);
	return -1;
}
