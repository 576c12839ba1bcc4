// test: VARIANTS "-O2" "-O2 -DFINAL=RELINK_FINAL" NOT thread undefined address generic
/* SPDX-License-Identifier: MIT */
/*
 * pointers_limits.c - accelerated pointers where code can't be written, where pages can't be protected, and where a commit fails in
 * the middle: each call reaches the right target, and nothing has changed where an error is reported.
 *
 * Each case is a process of its own: this program, executed again with the case's name.
 */
#include "behaviour/environments/limits.h"

#include <pthread.h>
#include <sys/wait.h>

#ifndef FINAL
#define FINAL 0
#endif

/* Of the library, for tests. */
void rl_test_write(int (*write)(uintptr_t address, const void *bytes, size_t length));

static unsigned one(unsigned x)
{
	return 4 * x + 1;
}

static unsigned two(unsigned x)
{
	return 4 * x + 2;
}

static unsigned three(unsigned x)
{
	return 4 * x + 3;
}

RELINK_POINTER static unsigned (*handler)(unsigned) = one;
RELINK_POINTER_INFO(handler, "where calls go", FINAL);
RELINK_POINTER static unsigned (*pair[2])(unsigned) = { one, one };
RELINK_POINTER_INFO(pair, "change together");

#define APART __attribute__((noinline))
#define PLACES(M) M(0) M(1) M(2) M(3) M(4) M(5) M(6) M(7)
#define SKIP(n) __asm__ volatile(".balign 8, 0x90\n\t.fill " #n ", 1, 0x90")
#define CALL(n) APART static unsigned call_##n(unsigned x) { SKIP(n); return handler(x) + pair[n % 2](x); }
PLACES(CALL)
#define NAME(n) call_##n,
static unsigned (*const calls[])(unsigned) = { PLACES(NAME) };

static struct relink_error err;

static void check_calls(unsigned handled, unsigned paired)
{
	for (unsigned i = 0; i < COUNT(calls); i++)
		CHECKF(calls[i](5) == 40 + handled + paired, "place %u: %u, not %u", i, calls[i](5), 40 + handled + paired);
}

static unsigned sites(int reason)
{
	struct relink_status s = { .size = sizeof(s) };

	CHECK(!relink_get_status(&s));
	return (unsigned)s.sites[RELINK_SITE_POINTER_CALL][reason];
}

static unsigned all_sites(void)
{
	unsigned n = 0;

	for (int reason = 0; reason < RELINK_REASONS; reason++)
		n += sites(reason);
	return n;
}

static int set_pair(unsigned (*fn)(unsigned), int mode)
{
	struct relink_commit c = RELINK_COMMIT;

	relink_set_pointer(&c, pair[0], fn);
	relink_set_pointer(&c, pair[1], fn);
	return relink_commit(&c, mode, &err);
}

/* ---- cases ---- */

/* The filter is there already: code was never writable. */
static void no_code(void)
{
	struct relink_status s = { .size = sizeof(s) };

	handler = two;
	check_calls(2, 1);
	CHECK_CODE(relink_pointers_commit(&err), 0, &err);
	CHECK(!relink_get_status(&s) && !strncmp(s.mode, "indirect", 8));
	CHECK(sites(RELINK_BOUND) == 0);
	check_calls(2, 1);
	CHECK_CODE(set_pair(three, RELINK_LIVE), 0, &err);
	check_calls(2, 3);
	CHECK_CODE(set_pair(two, RELINK_STOP), 0, &err);
	check_calls(2, 2);
}

/* Before the first commit: variables go on being the program's. */
static void unprotected(unsigned answer)
{
	const char *why = limit_call(SYS_mprotect, answer);

	if (why)
		check_skip(why);
	handler = two;
	CHECK_CODE(relink_pointers_commit(&err), RELINK_E_WRITE, &err);
	CHECK_HAS(relink_error_text(&err), "protection");
	CHECK(sites(RELINK_UNCOMMITTED) == all_sites());
	check_calls(2, 1);
	CHECK_CODE(set_pair(three, RELINK_LIVE), RELINK_E_WRITE, &err);
	check_calls(2, 1);
	handler = three;
	pair[0] = pair[1] = two;
	check_calls(3, 2);
}

/* After it: they stay as they are. */
static void protected_for_good(unsigned answer)
{
	const char *why;

	CHECK_CODE(relink_pointers_commit(&err), 0, &err);
	CHECK_CODE(set_pair(two, RELINK_LIVE), 0, &err);
	why = limit_call(SYS_mprotect, answer);
	if (why)
		check_skip(why);
	CHECK_CODE(set_pair(three, RELINK_LIVE), RELINK_E_WRITE, &err);
	CHECK_CODE(set_pair(three, RELINK_STOP), RELINK_E_WRITE, &err);
	check_calls(1, 2);
	CHECK(pair[0] == two && pair[1] == two);
}

static long writes_left;
static bool failed;

static int failing_write(uintptr_t address, const void *bytes, size_t length)
{
	static int memory = -1;

	if (writes_left-- == 0) {
		failed = true;
		return -EIO;
	}
	if (memory < 0)
		memory = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	return pwrite(memory, bytes, length, (off_t)address) == (ssize_t)length ? 0 : -EIO;
}

/* Each write of a commit fails once. */
static void rolled_back(int mode)
{
	unsigned bound;
	int r = -1;

	CHECK_CODE(relink_declare(RELINK_TRAPS, &err), 0, &err);
	CHECK_CODE(relink_pointers_commit(&err), 0, &err);
	bound = sites(RELINK_BOUND);
	CHECKF(bound == all_sites() && bound == 2 * COUNT(calls), "%u of %u are bound", bound, all_sites());
	rl_test_write(failing_write);
	for (long n = 0; n < 1000 && r; n++) {
		failed = false;
		writes_left = n;
		r = set_pair(two, mode);
		CHECK(failed == (r != 0));
		check_calls(1, r ? 1 : 2);
		CHECK(pair[0] == (r ? one : two) && pair[1] == pair[0] && sites(RELINK_BOUND) == bound);
	}
	CHECK_CODE(r, 0, &err);
	rl_test_write(NULL);
	CHECK_CODE(set_pair(three, RELINK_LIVE), 0, &err);
	check_calls(1, 3);
}

static void *wait_for(void *argument)
{
	while (!__atomic_load_n((bool *)argument, __ATOMIC_ACQUIRE))
		usleep(1000);
	return NULL;
}

/* With another thread, so that a commit has phases. */
static void rolled_back_live(void)
{
	bool end = false;
	pthread_t thread;

	CHECK(!pthread_create(&thread, NULL, wait_for, &end));
	rolled_back(RELINK_LIVE);
	__atomic_store_n(&end, true, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
}

/* Threads run when the first commit comes: what is final can't be bound any more but in stop mode. */
static void late(void)
{
	bool end = false;
	pthread_t thread;

	CHECK(!pthread_create(&thread, NULL, wait_for, &end));
	handler = three;
	CHECK_CODE(relink_pointers_commit(&err), 0, &err);
	CHECK(sites(RELINK_BOUND) == 0);
	check_calls(3, 1);
	if (FINAL) {
		struct relink_commit c = RELINK_COMMIT;

		CHECK_CODE(relink_pointer_set(handler, two, &err), RELINK_E_FINAL, &err);
		relink_set_pointer(&c, handler, two);
		CHECK_CODE(relink_commit(&c, RELINK_STOP, &err), 0, &err);
		CHECKF(sites(RELINK_BOUND) == COUNT(calls), "%u bound", sites(RELINK_BOUND));
		check_calls(2, 1);
	}
	__atomic_store_n(&end, true, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
}

static void in_child(void)
{
	int status;
	pid_t child;

	CHECK_CODE(relink_pointers_commit(&err), 0, &err);
	CHECK_CODE(set_pair(two, RELINK_LIVE), 0, &err);
	child = fork();
	if (child == 0) {
		CHECK_CODE(set_pair(three, RELINK_LIVE), 0, &err);
		check_calls(1, 3);
		_exit(check_failed_ != 0);
	}
	CHECK(child > 0 && waitpid(child, &status, 0) == child && status == 0);
	check_calls(1, 2);
	CHECK(pair[0] == two);
}

/* ---- the processes ---- */

static const char *const names[] = { "no-code", "unprotected", "unprotected-trap", "protected", "protected-trap", "rolled-back",
				     "rolled-back-live", "late", "in-child" };

static int run(const char *name)
{
	if (!strcmp(name, "no-code"))
		no_code();
	else if (!strcmp(name, "unprotected"))
		unprotected(REFUSE(EPERM));
	else if (!strcmp(name, "unprotected-trap"))
		unprotected(TRAP);
	else if (!strcmp(name, "protected"))
		protected_for_good(REFUSE(EPERM));
	else if (!strcmp(name, "protected-trap"))
		protected_for_good(TRAP);
	else if (!strcmp(name, "rolled-back"))
		rolled_back(RELINK_LIVE);
	else if (!strcmp(name, "rolled-back-live"))
		rolled_back_live();
	else if (!strcmp(name, "late"))
		late();
	else
		in_child();
	return check_done();
}

static void start(const char *name, char *program)
{
	if (!strcmp(name, "no-code") && limit_open_to_write(REFUSE(EACCES)))
		_exit(77);
	execl("/proc/self/exe", program, name, (char *)NULL);
	_exit(1);
}

int main(int argc, char **argv)
{
	if (argc > 1)
		return run(argv[1]);
	for (unsigned i = 0; i < COUNT(names); i++) {
		int status = -1;
		pid_t child;

		printf("%s:\n", names[i]);
		fflush(stdout);
		child = fork();
		if (child == 0)
			start(names[i], argv[0]);
		CHECK(child > 0 && waitpid(child, &status, 0) == child);
		CHECKF(WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 77), "%s: status %#x", names[i], status);
	}
	return check_done();
}
