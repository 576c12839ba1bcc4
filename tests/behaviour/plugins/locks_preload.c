/* SPDX-License-Identifier: MIT */
/*
 * locks_preload.c - for LD_PRELOAD: somebody else who interposes pthread_create, and may create a thread before the
 * program starts: LOCKS_EARLY=create through pthread_create, LOCKS_EARLY=raw with a system call, LOCKS_EARLY=process
 * with one that shares memory.
 */
#include <dlfcn.h>
#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

int preload_calls, preload_child;

int pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*fn)(void *), void *arg)
{
	int (*next)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);

	preload_calls++;
	*(void **)&next = dlsym(RTLD_NEXT, "pthread_create");
	return next(thread, attr, fn, arg);
}

static void *idle(void *arg)
{
	return arg;
}

/* Without libc's wrapper, which would be noticed. It sleeps until it is killed. */
static void start_raw(unsigned long flags)
{
	static char stack[16384] __attribute__((aligned(16)));
	long result;

#ifdef __x86_64__
	__asm__ volatile("syscall\n\ttest %%rax, %%rax\n\tjnz 1f\n0:\tmov $34, %%eax\n\tsyscall\n\tjmp 0b\n1:" /* pause */
			 : "=a"(result) : "a"(SYS_clone), "D"(flags), "S"(stack + sizeof(stack)), "d"(0L) : "rcx", "r11", "memory");
	preload_child = (int)result;
#else
	(void)flags, (void)result, (void)stack;
#endif
}

static void __attribute__((constructor)) early(void)
{
	const char *how = getenv("LOCKS_EARLY");
	pthread_t thread;
	int (*create)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);

	*(void **)&create = dlsym(RTLD_DEFAULT, "pthread_create");
	if (how && !strcmp(how, "create") && !create(&thread, NULL, idle, NULL))
		pthread_join(thread, NULL);
	if (how && !strcmp(how, "raw"))
		start_raw(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM);
	if (how && !strcmp(how, "process"))
		start_raw(CLONE_VM | SIGCHLD);
}
