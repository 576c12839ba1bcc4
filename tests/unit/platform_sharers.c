/* SPDX-License-Identifier: MIT */
/* test: NOT thread */
/* platform_sharers.c - is somebody else in our memory? Also where filters leave only one way to find out, or none. */
#include "platform_test.h"

#include <pthread.h>
#include <sched.h>

/* ---- company ---- */

static char stack[65536] __attribute__((aligned(64)));

static int wait_for_end(void *unused)
{
	(void)unused;
	for (;;)
		pause();
	return 0;
}

static pid_t nobody(void)
{
	return 0;
}

static pid_t sharer(void)
{
	return clone(wait_for_end, stack + sizeof(stack), CLONE_VM | SIGCHLD, NULL);
}

static pid_t copy(void)
{
	pid_t child = fork();

	return child ? child : wait_for_end(NULL);
}

static pid_t program(void)
{
	pid_t child = vfork();

	if (!child) {
		execlp("sleep", "sleep", "1000", (char *)NULL);
		_exit(1);
	}
	return child;
}

static pid_t zombie(void)
{
	siginfo_t info;
	pid_t child = vfork();

	if (!child)
		_exit(0);
	CHECK(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT) == 0);
	return child;
}

static const struct {
	const char *name;
	pid_t (*make)(void);
	bool shares;
} companies[] = {
	{ "nobody", nobody, false }, { "a sharer", sharer, true },        { "a copy", copy, false },
	{ "a program", program, false }, { "a zombie", zombie, false },
};

static void *sleeper(void *unused)
{
	wait_for_end(NULL);
	return unused;
}

static void end(pid_t child)
{
	if (child <= 0)
		return;
	kill(child, SIGKILL);
	while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
}

/* `seen`: sharers are. */
static void with_company(bool threads, bool seen)
{
	for (size_t i = 0; i < sizeof(companies) / sizeof(*companies); i++) {
		pid_t child = companies[i].make();
		bool alone = rl_alone_in_memory(), shared = rl_memory_is_shared(), shares = companies[i].shares && seen;

		if (!CHECK(child >= 0 && alone == (!threads && !shares) && shared == shares))
			printf("with %s%s: alone %d, shared %d\n", companies[i].name, threads ? " and a thread" : "", alone, shared);
		end(child);
	}
}

static void in_all_companies(bool seen)
{
	pthread_t thread;

	with_company(false, seen);
	CHECK(pthread_create(&thread, NULL, sleeper, NULL) == 0);
	with_company(true, seen);
}

/* ---- ways to find out ---- */

static void nothing_filtered(void)
{
	CHECK(rl_marker_create() == 0);
	in_all_companies(true);
}

static void unshare_refused(void)
{
	CHECK(rl_marker_create() == 0);
	filter(SYS_unshare, REFUSE);
	in_all_companies(true);
}

/* As in a container of Docker's. */
static void unshare_and_kcmp_refused(void)
{
	CHECK(rl_marker_create() == 0);
	filter(SYS_unshare, REFUSE);
	filter(SYS_kcmp, REFUSE);
	in_all_companies(true);
}

#ifdef HAVE_CODE /* elsewhere SIGSYS is not caught */
static void all_trapped(void)
{
	struct sigaction action;

	CHECK(rl_marker_create() == 0);
	filter(SYS_unshare, TRAP);
	filter(SYS_kcmp, TRAP);
	in_all_companies(true);
	CHECK(sigaction(SIGSYS, NULL, &action) == 0 && action.sa_handler == SIG_DFL);
}

/* Then threads are counted, and that is all. */
static void no_way_left(void)
{
	CHECK(rl_marker_create() == 0);
	filter(SYS_unshare, TRAP);
	filter(SYS_kcmp, TRAP);
	filter(SYS_openat, TRAP);
	in_all_companies(false);
}
#endif

/* More threads and children than fit into one read. */
#define MANY 300

static void many(void)
{
	pthread_t threads[MANY];
	pid_t children[MANY], last;

	for (int i = 0; i < MANY; i++) {
		CHECK(pthread_create(&threads[i], NULL, sleeper, NULL) == 0);
		children[i] = copy();
	}
	CHECK(!rl_memory_is_shared());
	last = sharer();
	CHECK(last > 0 && rl_memory_is_shared() && !rl_alone_in_memory());
	end(last);
	CHECK(!rl_memory_is_shared());
	for (int i = 0; i < MANY; i++)
		end(children[i]);
}

/* What such a process would say of itself. */
static void seen_by_the_sharer(void)
{
	volatile bool shared = false;
	pid_t child = vfork();

	if (!child) {
		shared = !rl_alone_in_memory();
		_exit(0);
	}
	CHECK(shared);
	end(child);
}

int main(void)
{
	start_tally();
	if (!rl_alone_in_memory()) {
		skip("company", "this process is never alone");
		return report();
	}
	RUN(nothing_filtered);
	RUN(unshare_refused);
	RUN(unshare_and_kcmp_refused);
#ifdef HAVE_CODE
	RUN(all_trapped);
	RUN(no_way_left);
#endif
	RUN(many);
	RUN(seen_by_the_sharer);
	return report();
}
