/* SPDX-License-Identifier: MIT */
/* test: LINK -Wl,--emit-relocs -Wl,-z,now TIMEOUT 60 NOT thread */
/*
 * sharers.c - processes that share the memory without being threads: while one lives nobody is alone, so that start-up mode and
 * final choices wait, and no site is changed with int3. Children with a memory of their own are nobody's concern.
 */
#include "stress.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

extern char **environ;

RELINK_DECLARE_CALL(unsigned, route, (unsigned x));
RELINK_DECLARE_CALL(unsigned, fixed, (unsigned x));
RELINK_KEY_FALSE(flag, "takes no trap");

/* So far from each other that several bytes of a call change. */
#define TARGET(name, n) \
	static unsigned name(unsigned x) \
	{ \
		SKIP_TO(64, 66001); \
		return x + n; \
	}
TARGET(one, 1)
TARGET(two, 2)
RELINK_DEFINE_CALL(route, one, "at every alignment");
RELINK_VARIANT(route, two);
RELINK_DEFINE_CALL(fixed, one, "final", RELINK_FINAL);
RELINK_VARIANT(fixed, two);

/* Calls at all places of an aligned word: some need a trap. */
#define SITE(n) \
	static __attribute__((noinline)) unsigned site_##n(void) \
	{ \
		SKIP_TO(64, n); \
		return route(0) + 100; \
	}
EACH_8(SITE, 0)

static __attribute__((noinline)) unsigned sum_of_routes(void)
{
#define ADD(n) + site_##n() - 100
	return 0 EACH_8(ADD, 0);
}
#define SITES 8u

static bool expresses(unsigned each)
{
	return sum_of_routes() == SITES * each;
}

/* ---- ways to make a process ---- */

static int gate[2];   /* a child goes when it can read */
static char fifo[64]; /* a spawned child hangs in opening it */
static char stack[65536] __attribute__((aligned(64)));

static long raw_call(long number, long a, long b, long c)
{
#ifdef __x86_64__
	long result = number;

	__asm__ volatile("syscall" : "+a"(result) : "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
	return result;
#else
	return syscall(number, a, b, c); /* errno is the parent's, too; it does not look meanwhile */
#endif
}

/* Touches nothing of libc's: what it shares with its parent is not only memory. */
static int wait_at_gate(void *unused)
{
	char byte;

	(void)unused;
	raw_call(SYS_read, gate[0], (long)&byte, 1);
	raw_call(SYS_exit, 0, 0, 0);
	return 0;
}

static pid_t make_sharer(void)
{
	return clone(wait_at_gate, stack + sizeof(stack), CLONE_VM | SIGCHLD, NULL);
}

/* One that no handler and no wait for children sees. */
static pid_t make_silent_sharer(void)
{
	return clone(wait_at_gate, stack + sizeof(stack), CLONE_VM, NULL);
}

static pid_t make_fork(void)
{
	pid_t child = fork();

	if (!child) {
		wait_at_gate(NULL);
		_exit(0);
	}
	return child;
}

static pid_t make_program(void)
{
	char *argv[] = { (char *)"sleep", (char *)"1000", NULL };
	pid_t child = -1;

	return posix_spawnp(&child, "sleep", NULL, NULL, argv, environ) ? -1 : child;
}

static void let_go(void)
{
	CHECK(write(gate[1], "", 1) == 1);
}

static void end(pid_t child)
{
	kill(child, SIGKILL);
	while (waitpid(child, NULL, __WALL) < 0 && errno == EINTR)
		;
}

/* ---- made by a thread that waits for it ---- */

static bool made; /* the maker is about to make it */

static void *vforks(void *unused)
{
	pid_t child;

	__atomic_store_n(&made, true, __ATOMIC_RELEASE);
	child = vfork();
	if (!child)
		wait_at_gate(NULL);
	waitpid(child, NULL, 0);
	return unused;
}

static void *spawns(void *unused)
{
	posix_spawn_file_actions_t actions;
	char *argv[] = { (char *)"true", NULL };
	pid_t child = -1;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, fifo, O_RDONLY, 0);
	__atomic_store_n(&made, true, __ATOMIC_RELEASE);
	CHECK(posix_spawnp(&child, "true", &actions, NULL, argv, environ) == 0);
	posix_spawn_file_actions_destroy(&actions);
	if (child > 0)
		waitpid(child, NULL, 0);
	return unused;
}

static void open_fifo(void)
{
	int descriptor = open(fifo, O_WRONLY | O_CLOEXEC);

	CHECK(descriptor >= 0);
	close(descriptor);
}

static bool has_child(void)
{
	siginfo_t info;

	return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT | __WALL) == 0 || errno != ECHILD;
}

/* The maker hangs in its call until the child lets it go on, so that it can't say when there is one. */
static pthread_t start_maker(void *(*maker)(void *))
{
	pthread_t thread;

	made = false;
	CHECK(pthread_create(&thread, NULL, maker, NULL) == 0);
	while (!__atomic_load_n(&made, __ATOMIC_ACQUIRE) || !has_child())
		usleep(1000);
	return thread;
}

/* ---- one thread ---- */

static int set_at_start(bool second)
{
	struct relink_commit c = RELINK_COMMIT;
	struct relink_error err;

	relink_set_call(&c, route, second ? two : one);
	return relink_commit(&c, RELINK_STARTUP, &err);
}

static bool known_to_be_alone(void)
{
	struct stat task;

	return stat("/proc/self/task", &task) == 0 && task.st_nlink == 3 && unshare(CLONE_VM) == 0;
}

static void alone(void)
{
	struct relink_error err;
	bool second = relink_call_target(fixed) == one;

	CHECK(set_at_start(true) == RELINK_OK && expresses(2));
	CHECK(set_at_start(false) == RELINK_OK && expresses(1));
	CHECK_CODE(relink_call_set(fixed, second ? two : one, &err), RELINK_OK, &err);
	CHECK(fixed(0) == (second ? 2 : 1));
}

static void not_alone(void)
{
	unsigned before = fixed(0);
	struct relink_error err;

	CHECK(set_at_start(true) == RELINK_E_THREADS && expresses(1));
	CHECK_CODE(relink_call_set(fixed, before == 1 ? two : one, &err), RELINK_E_FINAL, &err);
	CHECK(fixed(0) == before);
	CHECK_CODE(relink_call_set(route, two, &err), RELINK_OK, &err);
	CHECK_CODE(relink_call_set(route, one, &err), RELINK_OK, &err);
}

static void with_child(pid_t (*make)(void), void (*check)(void))
{
	pid_t child = make();

	if (!CHECKF(child > 0, "no child: %s", strerror(errno)))
		return;
	check();
	end(child);
	alone();
}

/* A sharer's sharer, when the one in between is gone. */
static char inner_stack[65536] __attribute__((aligned(64)));
static volatile pid_t orphan;

static int make_orphan(void *unused)
{
	(void)unused;
	orphan = clone(wait_at_gate, inner_stack + sizeof(inner_stack), CLONE_VM, NULL);
	raw_call(SYS_exit, 0, 0, 0);
	return 0;
}

static void orphaned(void (*check)(void))
{
	pid_t child = clone(make_orphan, stack + sizeof(stack), CLONE_VM | SIGCHLD, NULL);

	CHECK(waitpid(child, NULL, 0) == child && orphan > 0);
	check();
	let_go();
	for (int i = 0; i < 1000 && unshare(CLONE_VM); i++)
		usleep(1000);
}

static void with_one_thread(void)
{
	alone();
	with_child(make_sharer, not_alone);
	with_child(make_silent_sharer, not_alone);
	with_child(make_fork, alone);
	with_child(make_program, alone);
	orphaned(not_alone);
	alone();
}

/* ---- more threads, and traps ---- */

static bool strict;

static void traps_go(void)
{
	struct relink_error err;

	CHECK_CODE(relink_call_set(route, two, &err), RELINK_OK, &err);
	CHECK(expresses(2));
	CHECK_CODE(relink_call_set(route, one, &err), RELINK_OK, &err);
	CHECK(expresses(1));
}

static void no_traps(void)
{
	struct relink_error err = { .text = "" };

	CHECK_CODE(relink_call_set(route, two, &err), RELINK_E_TRAPS, &err);
	CHECK_HAS(relink_error_text(&err), "shares the memory");
	CHECK(expresses(1));
	CHECK_CODE(relink_key_set(flag, true, &err), strict ? RELINK_E_TRAPS : RELINK_OK, &err);
	CHECK_CODE(relink_key_set(flag, false, &err), strict ? RELINK_E_TRAPS : RELINK_OK, &err);
}

static void no_traps_with_child(pid_t child)
{
	if (!CHECKF(child > 0, "no child: %s", strerror(errno)))
		return;
	no_traps();
	end(child);
	traps_go();
}

static void no_traps_with_maker(void *(*maker)(void *), void (*release)(void))
{
	pthread_t thread = start_maker(maker);

	no_traps();
	release();
	pthread_join(thread, NULL);
	traps_go();
}

static void traps_go_with_child(pid_t child)
{
	CHECK(child > 0);
	traps_go();
	end(child);
}

/* It also sees what it did not make. */
static void *makes_sharer(void *child)
{
	*(pid_t *)child = make_sharer();
	while (!__atomic_load_n(&made, __ATOMIC_ACQUIRE))
		usleep(1000);
	return NULL;
}

static void child_of_other_thread(void)
{
	pthread_t thread;
	pid_t child = 0;

	made = false;
	CHECK(pthread_create(&thread, NULL, makes_sharer, &child) == 0);
	while (!__atomic_load_n((volatile pid_t *)&child, __ATOMIC_ACQUIRE))
		usleep(1000);
	no_traps_with_child(child);
	__atomic_store_n(&made, true, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
}

/* A child that is about to exec holds nobody up. */
static void *releases_soon(void *unused)
{
	usleep(2000);
	let_go();
	return unused;
}

static void short_wait(void)
{
	pthread_t thread = start_maker(vforks), releaser;

	CHECK(pthread_create(&releaser, NULL, releases_soon, NULL) == 0);
	traps_go();
	pthread_join(thread, NULL);
	pthread_join(releaser, NULL);
}

static void *bystander(void *over)
{
	while (!__atomic_load_n((bool *)over, __ATOMIC_ACQUIRE))
		usleep(1000);
	return NULL;
}

static void with_traps(void)
{
	pthread_t thread;
	bool over = false;

	/* without threads a sharer is reason enough for a trap, and against it */
	no_traps_with_child(make_sharer());
	orphaned(no_traps);
	traps_go();
	CHECK(pthread_create(&thread, NULL, bystander, &over) == 0);
	traps_go();
	no_traps_with_child(make_sharer());
	no_traps_with_child(make_silent_sharer());
	no_traps_with_maker(vforks, let_go);
	no_traps_with_maker(spawns, open_fifo);
	child_of_other_thread();
	traps_go_with_child(make_fork());
	traps_go_with_child(make_program());
	short_wait();
	__atomic_store_n(&over, true, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
}

int main(void)
{
	struct relink_error err;

	CHECK(pipe2(gate, O_CLOEXEC) == 0);
	snprintf(fifo, sizeof(fifo), "/tmp/relink-sharers-%d", (int)getpid());
	CHECK(mkfifo(fifo, 0600) == 0);
	if (!known_to_be_alone())
		check_skip("it can't be known here whether the process is alone");
	with_one_thread();
	if (RELINK_PATCHES_) {
		CHECK_CODE(relink_declare(RELINK_TRAPS, &err), RELINK_OK, &err);
		with_traps();
		strict = true;
		CHECK_CODE(relink_declare(RELINK_STRICT_XMC, &err), RELINK_OK, &err);
		with_traps();
	}
	unlink(fifo);
	return check_done();
}
