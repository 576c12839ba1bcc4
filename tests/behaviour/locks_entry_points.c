/* test: LOCKS LABELS soak TIMEOUT 100 NOT address thread */
/* SPDX-License-Identifier: MIT */
/*
 * locks_entry_points.c - threads through every entry point, at random moments; and what is no thread, which changes
 * nothing.
 */
#include <spawn.h>
#include <sys/syscall.h>

#include "locks/entry_points.h"

extern char **environ;

static void spawn_and_wait(void)
{
	char *argv[] = { "true", NULL };
	pid_t pid = -1;

	CHECK(!posix_spawnp(&pid, "true", NULL, NULL, argv, environ) && waitpid(pid, NULL, 0) == pid);
	pid = vfork();
	if (!pid)
		_exit(0);
	CHECK(waitpid(pid, NULL, 0) == pid);
	pid = fork();
	if (!pid)
		_exit(!look(UNLOCKED));
	CHECK(waitpid(pid, NULL, 0) == pid);
}

static int nothing(void *arg)
{
	return arg != NULL;
}

static void test_no_threads(void)
{
	static char stack[STACK] __attribute__((aligned(16)));
	struct sigevent e = { .sigev_notify = SIGEV_NONE };
	timer_t timer;

	spawn_and_wait();
	CHECK(waitpid(clone(nothing, stack + STACK, SIGCHLD, NULL), NULL, 0) > 0);
	CHECK(waitpid(clone(nothing, stack + STACK, CLONE_VM | CLONE_VFORK | SIGCHLD, NULL), NULL, 0) > 0);
	CHECK(!timer_create(CLOCK_MONOTONIC, &e, &timer) && !timer_delete(timer));
	CHECK(!timer_create(CLOCK_MONOTONIC, NULL, &timer) && !timer_delete(timer));
	CHECKF(all_unlocked(), "%s", locks_say());
}

int main(void)
{
	const char *seconds = getenv("RELINK_SOAK_SECONDS");
	time_t stop = time(NULL) + (seconds ? atoi(seconds) : 2);
	unsigned rounds = 0;

	prepare();
	locks_need_sites();
	CHECKF(all_unlocked(), "%s", locks_say());
	test_no_threads();
	for (size_t i = 0; i < COUNT(entry_points); i++)
		works_here(&entry_points[i], 0, 0, NULL);
	srand((unsigned)getpid());
	while (time(NULL) < stop && works_here(&entry_points[(size_t)rand() % COUNT(entry_points)], (unsigned)rand() % 100000, 0, NULL))
		rounds++;
	CHECK(all_unlocked());
	printf("%u more at random moments\n", rounds);
	return check_done();
}
