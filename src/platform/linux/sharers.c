/* SPDX-License-Identifier: MIT */
/*
 * sharers.c - who else runs in this memory: threads, and processes made with CLONE_VM but without CLONE_THREAD, of which
 * children of vfork and posix_spawn are one kind until they exec.
 *
 * No counter of the kernel that a process may read tells. One call answers "is there nobody else?", exactly; where threads
 * run, too, or that call is filtered, what remains is to look at each child.
 */
#include "../platform.h"
#include "system.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/wait.h>

#define KCMP_VM 1

/*
 * The kernel has never unshared memory. It says so to whom there is something to unshare from, and lets others pass without
 * doing anything: unshare(2). 0, -EINVAL, or what a filter makes of it.
 */
static long ask_whether_alone(void)
{
	long answer;

	rl_window_open();
	answer = rl_syscall(SYS_unshare, CLONE_VM, 0, 0, 0);
	rl_window_close();
	return answer;
}

/* ---- children; in the window, since any of these calls may be filtered ---- */

static bool has_children(void)
{
	return rl_syscall(SYS_waitid, P_ALL, 0, 0, WEXITED | WNOHANG | WNOWAIT | __WALL) != -ECHILD;
}

static bool shows_our_marker(long child)
{
	char path[32];
	long memory;
	bool shown;

	snprintf(path, sizeof(path), "/proc/%ld/mem", child);
	memory = rl_syscall(SYS_openat, AT_FDCWD, (long)path, O_RDONLY | O_CLOEXEC, 0);
	if (memory < 0)
		return false;
	shown = rl_marker_in(memory);
	rl_syscall(SYS_close, memory, 0, 0, 0);
	return shown;
}

/* Where processes may not be compared their memory may still be read: a copy that a fork made of ours has no marker. */
static bool shares(long child)
{
	long order = rl_syscall(SYS_kcmp, rl_syscall(SYS_getpid, 0, 0, 0, 0), child, KCMP_VM, 0);

	if (order >= 0 || order == -ESRCH)
		return order == 0;
	return shows_our_marker(child);
}

/* `number` is what was read of a number so far. */
static bool any_shares(const char *text, long length, long *number)
{
	for (long i = 0; i < length; i++) {
		if (text[i] >= '0' && text[i] <= '9') {
			*number = 10 * *number + text[i] - '0';
			continue;
		}
		if (*number && shares(*number))
			return true;
		*number = 0;
	}
	return false;
}

static bool child_of_thread_shares(const char *thread)
{
	char path[64], text[1024];
	long list, got, number = 0;
	bool found = false;

	snprintf(path, sizeof(path), "/proc/self/task/%s/children", thread);
	list = rl_syscall(SYS_openat, AT_FDCWD, (long)path, O_RDONLY | O_CLOEXEC, 0);
	if (list < 0)
		return false;
	while (!found && (got = rl_syscall(SYS_read, list, (long)text, sizeof(text), 0)) > 0)
		found = any_shares(text, got, &number);
	rl_syscall(SYS_close, list, 0, 0, 0);
	return found;
}

/* What the kernel fills a directory's buffer with. */
struct entry {
	uint64_t inode;
	int64_t next;
	unsigned short length;
	unsigned char type;
	char name[];
};

static bool child_of_any_thread_shares(void)
{
	char entries[2048] __attribute__((aligned(8)));
	long threads = rl_syscall(SYS_openat, AT_FDCWD, (long)"/proc/self/task", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	long got = 0;
	bool found = false;

	while (threads >= 0 && !found && (got = rl_syscall(SYS_getdents64, threads, (long)entries, sizeof(entries), 0)) > 0)
		for (long at = 0; at < got && !found;) {
			const struct entry *entry = (const void *)(entries + at);

			found = entry->name[0] != '.' && child_of_thread_shares(entry->name);
			at += entry->length;
		}
	if (threads >= 0)
		rl_syscall(SYS_close, threads, 0, 0, 0);
	return found;
}

static bool child_shares(void)
{
	bool found;

	rl_window_open();
	found = has_children() && child_of_any_thread_shares();
	rl_window_close();
	return found;
}

/* ---- all together ---- */

bool rl_alone_in_memory(void)
{
	long answer = ask_whether_alone();

	if (answer == 0 || answer == -EINVAL)
		return answer == 0;
	return rl_threads() == 1 && !child_shares();
}

bool rl_memory_is_shared(void)
{
	long answer = ask_whether_alone();

	if (answer == 0)
		return false;
	return (answer == -EINVAL && rl_threads() == 1) || child_shares();
}
