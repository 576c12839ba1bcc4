/* SPDX-License-Identifier: MIT */
/*
 * platform_test.h - what the tests of the platform layer share: cases that run in a process of their own each, because
 * they drop privileges, install filters or get killed; and a function whose code is changed.
 */
#ifndef PLATFORM_TEST_H
#define PLATFORM_TEST_H

#include "platform/platform.h"

#include <dirent.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- checks ---- */

static struct {
	unsigned passed, failed, skipped;
} *tally; /* shared with the children */

#define CHECK(condition) check((condition), #condition, __FILE__, __LINE__)

static inline bool check(bool condition, const char *text, const char *file, int line)
{
	__atomic_add_fetch(condition ? &tally->passed : &tally->failed, 1, __ATOMIC_RELAXED);
	if (!condition)
		printf("%s:%d: failed: %s\n", file, line, text);
	return condition;
}

static inline void skip(const char *what, const char *reason)
{
	tally->skipped++;
	printf("skipped: %s: %s\n", what, reason);
}

static inline void start_tally(void)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	tally = mmap(NULL, sizeof(*tally), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

static inline int report(void)
{
	if (tally->skipped)
		printf("%u skipped\n", tally->skipped);
	printf("%u passed, %u failed\n", tally->passed, tally->failed);
	if (tally->failed)
		return 1;
	return tally->passed ? 0 : 77;
}

/* The status of a child that runs the function and leaves without running anybody's exit handlers. */
static inline int status_of(void (*function)(void))
{
	int status = -1;
	pid_t child = fork();

	if (child == 0) {
		function();
		fflush(stdout);
		_exit(0);
	}
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

#define RUN(function) run(function, #function)

static inline void run(void (*function)(void), const char *name)
{
	int status = status_of(function);

	if (!check(status == 0, "the case ends by itself", __FILE__, __LINE__))
		printf("in case %s: status %#x\n", name, (unsigned)status);
}

/* ---- system calls that are filtered ---- */

#define REFUSE (SECCOMP_RET_ERRNO | EPERM)
#define TRAP SECCOMP_RET_TRAP

/* A filter of the calling thread and those it starts. */
static inline void filter(unsigned number, unsigned answer)
{
	struct sock_filter program[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, answer),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = { sizeof(program) / sizeof(program[0]), program };

	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0);
}

/* ---- code to change ---- */

#if defined __x86_64__ && defined __LP64__
#define HAVE_CODE 1

/* mov $imm32, %eax; ret, with the number at an 8-byte boundary. */
extern const uint8_t subject_code[];
extern unsigned subject(void);
__asm__(".pushsection .text\n"
	".balign 64, 0xcc\n"
	"	nop; nop; nop; nop; nop; nop; nop\n"
	".globl subject, subject_code\n"
	".type subject, @function\n"
	"subject:\n"
	"	.byte 0xb8\n"
	"subject_code:\n"
	"	.long 1\n"
	"	ret\n"
	".size subject, . - subject\n"
	".balign 64, 0xcc\n"
	".popsection\n");

/* One commit. 0, or what failed. */
static inline int change(unsigned number, const char **why)
{
	int error = rl_text_begin(why);

	if (error < 0)
		return error;
	error = rl_text_write((uintptr_t)subject_code, &number, sizeof(number));
	if (!error)
		error = rl_text_barrier();
	rl_text_end();
	return error;
}

static inline bool changes(unsigned number)
{
	const char *why = "";
	int error = change(number, &why);

	if (error < 0)
		printf("change: %s: %s\n", strerror(-error), why);
	return error == 0 && subject() == number;
}

static inline bool probe(void)
{
	struct rl_text_abilities abilities;

	rl_text_probe(&abilities);
	if (!abilities.write || !abilities.barrier)
		printf("probe: %s\n", abilities.why);
	return abilities.write && abilities.barrier;
}
#endif

/* ---- descriptors ---- */

/* The descriptors that are open on this or another process's memory: how many, and the last. */
static inline int memory_descriptors(int *last)
{
	DIR *directory = opendir("/proc/self/fd");
	struct dirent *entry;
	int count = 0;

	while (directory && (entry = readdir(directory))) {
		char target[64] = "";
		ssize_t length = readlinkat(dirfd(directory), entry->d_name, target, sizeof(target) - 1);

		if (length > 4 && strcmp(target + length - 4, "/mem") == 0) {
			*last = atoi(entry->d_name);
			count++;
		}
	}
	if (directory)
		closedir(directory);
	return count;
}

#endif
