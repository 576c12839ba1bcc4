/* SPDX-License-Identifier: MIT */
/* process.c - threads, processors, privileges, name. */
#include "../platform.h"
#include "system.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
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
