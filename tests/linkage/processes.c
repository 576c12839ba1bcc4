/* SPDX-License-Identifier: MIT */
/* processes.c - children that have a copy of the memory, and those that share it, while calls are being learned and bound. */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "subject.h"

extern char **environ;

static void say(const char *who, int number)
{
	char text[128];
	int length = snprintf(text, sizeof(text), "%s %d\n", who, number);

	write(1, text, (size_t)length);
}

static int ended(pid_t child)
{
	int status = -1;

	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

/* The child learns what the parent has not, and the other way round. */
static int do_fork(int leave)
{
	int sum = work(20);
	pid_t child = fork();

	if (child == 0) {
		say("child", more_work(1000) + work(10));
		if (leave)
			_exit(3);
		exit(3);
	}
	say("parent", ended(child));
	say("parent", sum + work(1000));
	for (int i = 0; i < 40; i++) {
		child = fork();
		if (child == 0) {
			int n = more_work(i) + work(i);

			_exit(n != more_work(i) + work(i));
		}
		sum += ended(child);
	}
	say("parent", sum);
	return 0;
}

/* The child's calls are recorded in the parent's memory, and it would write the parent's code. */
static int do_vfork(const char *self)
{
	volatile int sum = work(20);

	for (volatile int i = 0; i < 40; i++) { /* vfork itself is bound meanwhile */
		pid_t child = vfork();

		if (child == 0) {
			int n = work(50) + more_work(40);

			if (i % 2)
				_exit(n & 0x7f);
			execl(self, self, "child", (char *)0);
			_exit(127);
		}
		sum += ended(child) + more_work(i) + work(i);
	}
	say("vfork", sum + work(1000) + more_work(1000));
	return 0;
}

static int do_spawn(char *self)
{
	char *args[] = { self, "child", 0 };
	int sum = work(20);

	for (int i = 0; i < 20; i++) {
		pid_t child;

		if (posix_spawn(&child, self, 0, 0, args, environ) != 0)
			return 1;
		sum += ended(child) + work(i);
	}
	say("spawn", sum + work(1000));
	return 0;
}

static int do_system(void)
{
	int sum = work(20);

	for (int i = 0; i < 5; i++)
		sum += system("echo in the shell; exit 4") + work(i);
	for (int i = 0; i < 5; i++) {
		char line[64] = "";
		FILE *f = popen("echo from a pipe", "r");

		if (!f || !fgets(line, sizeof(line), f))
			return 1;
		sum += pclose(f) + (int)strlen(line);
	}
	say("system", sum + work(1000));
	return 0;
}

/* No thread that libc knows of, and not of this process either; runs the code that is being bound, at the same time. */
static volatile int stop;

static int shares(void *arg)
{
	int want = work(7), wrong = 0;

	while (!stop)
		wrong += work(7) != want;
	return wrong != 0;
}

static int do_clone(void)
{
	size_t size = 256 << 10;
	char *stack = mmap(0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pid_t child = clone(shares, stack + size, CLONE_VM | CLONE_FILES | SIGCHLD, 0);
	int sum = 0;

	if (child < 0)
		return 77;
	for (int i = 0; i < 20000; i++)
		sum += work(3) + more_work(2);
	stop = 1;
	say("shared", ended(child));
	say("sum", sum + work(100));
	return 0;
}

/* A child that no atfork handler sees, in the middle of learning: it must not write its parent's code. */
static int do_raw(void)
{
	int sum = work(20);

	for (int i = 0; i < 20; i++) {
		pid_t child = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);

		if (child == 0) {
			int wrong = more_work(3000) != more_work(3000) || work(500) != work(500);

			_exit(wrong);
		}
		sum += ended(child) + work(i * 20) + more_work(i * 20);
	}
	say("sum", sum + work(3000) + more_work(3000));
	return 0;
}

/* Less and less is allowed, and the way to the own memory is closed. */
static int do_drop(void)
{
	int sum = work(20), alone = geteuid() == 0 && chroot("/var/empty") && chroot("/var");

	sum += more_work(3000);
	if (geteuid() == 0 && (setgid(65534) || setuid(65534)))
		return 77;
	sum += work(3000);
	for (int i = 0; i < 3; i++) {
		pid_t child = fork();

		if (child == 0)
			_exit(work(3000) + more_work(3000) == 0);
		sum += ended(child);
	}
	say("dropped", sum + alone * 0 + work(3000));
	return 0;
}

/* A thread that libc does not know of. */
static int do_thread(void)
{
	size_t size = 256 << 10;
	char *stack = mmap(0, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	static volatile int running = 1;
	int sum = work(10);

	if (clone(shares, stack + size, CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | CLONE_CHILD_CLEARTID, 0, 0, 0,
		  &running) < 0)
		return 77;
	for (int i = 0; i < 20000; i++)
		sum += work(3) + more_work(2);
	stop = 1;
	while (running)
		usleep(100);
	say("sum", sum + work(100));
	return 0;
}

int trap_main(int argc, char **argv)
{
	if (is(argc, argv, "child")) {
		if (getenv("RELINK_LINKAGE") || getenv("LD_PRELOAD"))
			return 9;
		return work(100) == 0;
	}
	if (is(argc, argv, "fork"))
		return do_fork(0);
	if (is(argc, argv, "fork-leave"))
		return do_fork(1);
	if (is(argc, argv, "vfork"))
		return do_vfork(argv[0]);
	if (is(argc, argv, "spawn"))
		return do_spawn(argv[0]);
	if (is(argc, argv, "system"))
		return do_system();
	if (is(argc, argv, "raw"))
		return do_raw();
	if (is(argc, argv, "drop"))
		return do_drop();
	return is(argc, argv, "thread") ? do_thread() : do_clone();
}
