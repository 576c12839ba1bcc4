/* SPDX-License-Identifier: MIT */
/*
 * limits.h - takes something away from the calling process: system calls, /proc, privileges, descriptors.
 *
 * Each function returns NULL, or why that can't be done here.
 */
#ifndef TEST_LIMITS_H
#define TEST_LIMITS_H

#include "behaviour/check.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define REFUSE(error) (SECCOMP_RET_ERRNO | (error))
#define TRAP SECCOMP_RET_TRAP

#ifndef SECCOMP_FILTER_FLAG_TSYNC
#define SECCOMP_FILTER_FLAG_TSYNC 1
#endif

__attribute__((unused)) static const char *install_filter(struct sock_filter *program, size_t length)
{
	struct sock_fprog filter = { (unsigned short)length, program };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return "no PR_SET_NO_NEW_PRIVS";
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &filter) != 0)
		return "no seccomp filters here";
	return NULL;
}

/* All threads, those of the future too. */
__attribute__((unused)) static const char *limit_call(unsigned number, unsigned answer)
{
	struct sock_filter program[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, answer),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};

	return install_filter(program, COUNT(program));
}

/* Only opening for reading and writing: programs and loaders go on reading files. A filter can't see paths. */
__attribute__((unused)) static const char *limit_open_to_write(unsigned answer)
{
	struct sock_filter program[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 0, 4),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2])),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, O_ACCMODE),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, O_RDWR, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, answer),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};

	return install_filter(program, COUNT(program));
}

/* Into an empty directory that is gone as soon as we are in it. */
__attribute__((unused)) static const char *limit_root(void)
{
	char directory[] = "/tmp/relink_environmentsXXXXXX";
	int outside = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (outside < 0 || !mkdtemp(directory))
		return "no directory for chroot";
	if (chroot(directory) < 0) {
		rmdir(directory);
		return "chroot needs root";
	}
	if (unlinkat(outside, directory + strlen("/tmp/"), AT_REMOVEDIR) < 0 || chdir("/") < 0)
		return "the directory for chroot can't be left";
	close(outside);
	return NULL;
}

#define NOBODY 65534

__attribute__((unused)) static const char *limit_user(void)
{
	if (geteuid() != 0)
		return "dropping privileges needs root";
	return setgroups(0, NULL) == 0 && setgid(NOBODY) == 0 && setuid(NOBODY) == 0 ? NULL : "privileges can't be dropped";
}

/* The last descriptor is taken, too. */
__attribute__((unused)) static const char *limit_files(void)
{
	struct rlimit limit = { 64, 64 };

	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		return "RLIMIT_NOFILE can't be set";
	while (dup(STDOUT_FILENO) >= 0)
		;
	return errno == EMFILE ? NULL : "descriptors can't be used up";
}

#ifndef PR_SET_MDWE
#define PR_SET_MDWE 65
#endif
#define REFUSE_EXEC_GAIN 1

__attribute__((unused)) static const char *limit_protection(void)
{
	return prctl(PR_SET_MDWE, REFUSE_EXEC_GAIN, 0, 0, 0) == 0 ? NULL : "no PR_SET_MDWE in this kernel (Linux 6.3)";
}

/* What a program does that doesn't know whose they are. */
__attribute__((unused)) static void close_descriptors(void)
{
	for (int i = 3; i < 256; i++)
		close(i);
}

#endif
