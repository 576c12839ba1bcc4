/* SPDX-License-Identifier: MIT */
/* process.c - threads, processors, privileges, name. */
#include "../platform.h"
#include "system.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* ---- files ---- */

#ifdef RL_X86_64 /* where libc and the kernel agree on struct stat */

/* A filter that raises SIGSYS for it makes this an error, here as in a commit. */
static long look_at(const char *path, struct stat *status)
{
	long error;

	rl_window_open();
	error = rl_syscall(SYS_newfstatat, AT_FDCWD, (long)path, (long)status, 0);
	rl_window_close();
	return error;
}

static bool files_are_allowed(void)
{
	struct stat status;
	long found = look_at("/", &status), opened, linked;
	char name;

	rl_window_open();
	opened = rl_syscall(SYS_openat, AT_FDCWD, (long)"/", O_PATH | O_CLOEXEC, 0);
	linked = rl_syscall(SYS_readlink, (long)"/proc/self/exe", (long)&name, sizeof(name), 0);
	if (opened >= 0)
		rl_syscall(SYS_close, opened, 0, 0, 0);
	rl_window_close();
	return found != -ENOSYS && opened != -ENOSYS && linked != -ENOSYS;
}

#else

static long look_at(const char *path, struct stat *status)
{
	return stat(path, status);
}

static bool files_are_allowed(void)
{
	return true;
}

#endif

static bool files_allowed;

static void ask_for_files(void)
{
	files_allowed = files_are_allowed();
}

bool rl_files_allowed(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, ask_for_files);
	return files_allowed;
}

/* ---- numbers ---- */

/* The kernel counts: this one directory has as many links as the process has threads, and two. Nothing is listed. */
unsigned rl_threads(void)
{
	struct stat task;

	if (look_at("/proc/self/task", &task) < 0 || !S_ISDIR(task.st_mode) || task.st_nlink < 3)
		return 0;
	return (unsigned)task.st_nlink - 2;
}

#ifdef RL_X86_64

/*
 * pthread_join returns while the kernel still counts the thread, for microseconds, or for as long as other work comes first. What
 * is on its way out runs no code of the program any more. That is a reason to wait, not to count otherwise: whoever is listed
 * while others come and go may be the wrong one.
 */
#define ENDING 0x4 /* among the flags of a thread, in its stat: PF_EXITING */
#define FLAGS_FIELD 7 /* after the name, which is in parentheses and may hold some itself */
#define PATIENCE 1000000000LL /* nanoseconds */

static bool has_flag(const char *stat, unsigned long flag)
{
	const char *at = strrchr(stat, ')');

	for (int field = 0; at && field < FLAGS_FIELD; field++)
		at = strchr(at + 1, ' ');
	return at && strtoul(at + 1, NULL, 10) & flag;
}

/* True also where there is nothing to be read any more. */
static bool is_ending(long tasks, const char *thread)
{
	char path[48], stat[512];
	long file, length;

	if (strlen(thread) > sizeof(path) - sizeof("/stat"))
		return false;
	strcat(strcpy(path, thread), "/stat");
	file = rl_syscall(SYS_openat, tasks, (long)path, O_RDONLY | O_CLOEXEC, 0);
	if (file < 0)
		return file == -ENOENT;
	length = rl_syscall(SYS_read, file, (long)stat, sizeof(stat) - 1, 0);
	rl_syscall(SYS_close, file, 0, 0, 0);
	if (length < 0)
		return length == -ESRCH;
	stat[length] = '\0';
	return has_flag(stat, ENDING);
}

struct entry { /* what the kernel calls linux_dirent64 */
	uint64_t inode, offset;
	uint16_t size;
	uint8_t type;
	char name[];
};

/* The first one listed is the process's first thread. It never goes: where it ends before others it stays as a zombie. */
static unsigned staying(long tasks, const char *entries, long length, unsigned count)
{
	for (long at = 0; at < length; at += ((const struct entry *)(entries + at))->size) {
		const char *name = ((const struct entry *)(entries + at))->name;

		if (name[0] != '.' && (count == 0 || !is_ending(tasks, name)))
			count++;
	}
	return count;
}

/* We are one of those that stay; to know of another one is enough. */
static bool others_are_ending(void)
{
	_Alignas(struct entry) char entries[2048];
	unsigned count = 0;
	long tasks, length = -ENOSYS;

	rl_window_open();
	tasks = rl_syscall(SYS_openat, AT_FDCWD, (long)"/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	while (tasks >= 0 && count < 2) {
		length = rl_syscall(SYS_getdents64, tasks, (long)entries, sizeof(entries), 0);
		if (length <= 0)
			break;
		count = staying(tasks, entries, length, count);
	}
	if (tasks >= 0)
		rl_syscall(SYS_close, tasks, 0, 0, 0);
	rl_window_close();
	return length == 0 && count == 1;
}

static void pause_a_little(void)
{
	const struct timespec time = { 0, 50000 };

	rl_window_open();
	rl_syscall(SYS_nanosleep, (long)&time, 0, 0, 0);
	rl_window_close();
}

static int64_t now(void)
{
	struct timespec time = { 0, 0 };

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static bool await_others(void)
{
	int64_t limit = now() + PATIENCE;

	while (others_are_ending() && now() < limit) {
		pause_a_little();
		if (rl_threads() == 1)
			return true;
	}
	return false;
}

#else

static bool await_others(void)
{
	return false;
}

#endif

bool rl_threads_ended(void)
{
	unsigned threads = rl_threads();

	return threads == 1 || (threads > 1 && await_others());
}

/* The kernel's answer has as many bytes as its mask; a machine with more processors than this is not alone anyway. */
unsigned rl_cpus(void)
{
	unsigned long mask[128];
	long size = rl_syscall(SYS_sched_getaffinity, 0, sizeof(mask), (long)mask, 0);
	unsigned count = 0;

	if (size < 0) {
		size = sysconf(_SC_NPROCESSORS_ONLN);
		return size > 1 ? (unsigned)size : 1;
	}
	for (size_t i = 0; i < (size_t)size / sizeof(mask[0]); i++)
		count += (unsigned)__builtin_popcountl(mask[i]);
	return count ? count : 1;
}

bool rl_secure(void)
{
	return getauxval(AT_SECURE) != 0;
}

/* ---- name ---- */

static char program[256];

static const char *last_component(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static void find_name(void)
{
	char path[4096];
	const char *started_as = (const char *)getauxval(AT_EXECFN);
	const char *name = started_as;
	ssize_t length = rl_files_allowed() ? readlink("/proc/self/exe", path, sizeof(path) - 1) : -1;

	if (length > 0) {
		path[length] = '\0';
		rl_drop_remark(path);
		name = path;
	}
	if (!name || !*last_component(name))
		name = "program";
	name = last_component(name);
	memcpy(program, name, strnlen(name, sizeof(program) - 1));
}

const char *rl_program_name(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, find_name);
	return program;
}
