// test: NOT address undefined thread VARIANTS "-O2" "-O0" "-O2 -fPIC -fno-plt"
/* SPDX-License-Identifier: MIT */
/*
 * relink_quiesce: proves that nobody is in an old target any more, and does not where somebody is: in the function
 * itself, below it, in its cold part, in a function that it ends with by a jump, in a handler that interrupted it.
 * Sanitizers end functions with calls that report, and leave return addresses in large frames of their own: there more
 * threads seem to be inside than are.
 */
#include <poll.h>
#include <sys/wait.h>

#include "stop_subjects.h"

RELINK_DECLARE_CALL(void, work, (struct sleeper *s));

#define BARRIER() __asm__ volatile("" : : : "memory")

static __attribute__((noinline)) void wait_there(struct sleeper *s)
{
	say(&s->ready);
	while (!s->go)
		sleep_for(1e-3);
	BARRIER();
}

static __attribute__((noinline)) void new_work(struct sleeper *s)
{
	s->result = 100;
	BARRIER();
}

static __attribute__((noinline)) void old_below(struct sleeper *s)
{
	wait_there(s);
	s->result = 1;
	BARRIER();
}

static __attribute__((noinline)) void old_loop(struct sleeper *s)
{
	say(&s->ready);
	while (!s->go)
		;
	BARRIER();
}

/* A function of its own, which nothing else uses. */
static __attribute__((noinline)) void wait_at_the_end(struct sleeper *s)
{
	s->error = 5; /* unlike wait_there, lest compilers fold them */
	say(&s->ready);
	while (!s->go)
		sleep_for(1e-3);
	BARRIER();
}

static __attribute__((noinline)) void old_jumps(struct sleeper *s)
{
	s->result = 2;
	BARRIER();
	wait_at_the_end(s);
}

static __attribute__((noinline, cold)) void wait_rarely(struct sleeper *s)
{
	wait_there(s);
	BARRIER();
}

/* The unlikely block goes to .text.unlikely. */
static __attribute__((noinline)) void old_cold(struct sleeper *s)
{
	if (__builtin_expect(s->result == 0, 0)) {
		wait_rarely(s);
		wait_rarely(s);
		s->result = 3;
	}
	BARRIER();
}

static __attribute__((noinline, noreturn)) void leave(struct sleeper *s)
{
	wait_there(s);
	pthread_exit(NULL);
}

/* The last instruction is a call that does not return. */
static __attribute__((noinline)) void old_never_returns(struct sleeper *s)
{
	BARRIER();
	leave(s);
}

/* So that its end is not the start of a function that threads hold pointers to. */
__attribute__((used)) static void nobody_calls_this(void)
{
	BARRIER();
}

RELINK_DEFINE_CALL(work, new_work, "what threads do");
RELINK_VARIANT(work, old_below, .rank = -1);
RELINK_VARIANT(work, old_loop, .rank = -1);
RELINK_VARIANT(work, old_jumps, .rank = -1);
RELINK_VARIANT(work, old_cold, .rank = -1);

static void call_work(struct sleeper *s)
{
	work(s);
}

/* Threads sleep here when they have left: nothing below their stack pointers. */
static __attribute__((noinline)) void proved(const char *name)
{
	int r = relink_quiesce(20000, &err);

	CHECKF(r == 0 && err.code == 0, "%s: %s", name, relink_error_text(&err));
}

static __attribute__((noinline)) void refused(const char *name, pid_t thread)
{
	double start, took;
	int r, tries = 10;

	do { /* on a busy machine nothing can be said about anybody now and then */
		start = now();
		r = relink_quiesce(100, &err);
		took = now() - start;
	} while (r == RELINK_E_STOP && strstr(err.text, "did not stop in time") && tries--);
	CHECKF(r == RELINK_E_STOP && err.code == r, "%s: %s", name, relink_code_name(r));
	CHECKF(took > 0.09 && took < (SANITIZED ? 20 : 5), "%s: took %.3f s", name, took);
	CHECKF(names(&err, thread) && strstr(err.text, "which a call was bound to"), "%s: %s", name, err.text);
	CHECKF(err.site, "%s: no address", name);
}

static void test_inside(const char *name, relink_fn_work *old)
{
	struct sleeper s, other;

	proved(name);
	CHECK_CODE(relink_call_set(work, old, &err), RELINK_OK, &err);
	start_sleeper(&other, wait_there);
	start_sleeper(&s, call_work);
	sleep_for(0.01);
	CHECK_CODE(relink_call_set(work, new_work, &err), RELINK_OK, &err);
	refused(name, s.id);
	refused(name, s.id);
	say(&s.go);
	pthread_join(s.thread, NULL);
	proved(name);
	proved(name);
	end_sleeper(&other);
}

/* The thread has left but lives on. */
static void work_and_sleep(struct sleeper *s)
{
	char byte;

	work(s);
	s->result = (int)read(s->pipe[0], &byte, 1);
}

static void test_left(void)
{
	struct sleeper s;

	CHECK_CODE(relink_call_set(work, old_loop, &err), RELINK_OK, &err);
	start_sleeper(&s, work_and_sleep);
	CHECK_CODE(relink_call_set(work, new_work, &err), RELINK_OK, &err);
	refused("left", s.id);
	say(&s.go);
	wait_until_asleep(s.id);
	proved("left");
	end_sleeper(&s);
}

/* What is bound again is nothing to leave. */
static void test_bound_again(void)
{
	struct sleeper s;

	CHECK_CODE(relink_call_set(work, old_below, &err), RELINK_OK, &err);
	start_sleeper(&s, call_work);
	CHECK_CODE(relink_call_set(work, new_work, &err), RELINK_OK, &err);
	CHECK_CODE(relink_call_set(work, old_below, &err), RELINK_OK, &err);
	proved("bound again");
	CHECK_CODE(relink_call_set(work, new_work, &err), RELINK_OK, &err);
	refused("left again", s.id);
	end_sleeper(&s);
	proved("left again");
}

/* ---- a commit that fails ---- */

int rl_text_write(uintptr_t address, const void *bytes, size_t length);
void rl_test_write(int (*write)(uintptr_t address, const void *bytes, size_t length));

static struct sleeper *worker;
static bool has_failed;

static void keep_working(struct sleeper *s)
{
	say(&s->ready);
	while (!s->go)
		work(s);
}

/* Writes until the worker has got in, and says then that it could not. */
static int fail_when_entered(uintptr_t address, const void *bytes, size_t length)
{
	int r = rl_text_write(address, bytes, length);

	for (double end = now() + 0.3; !has_failed && !worker->ready && now() < end;)
		;
	if (has_failed || !worker->ready)
		return r;
	has_failed = true;
	return -EIO;
}

/* Nothing has changed, but a thread is where the call led for a moment. */
static void test_rolled_back(void)
{
	struct sleeper s;

	start_sleeper(&s, keep_working);
	s.ready = 0;
	worker = &s;
	rl_test_write(fail_when_entered);
	CHECK_CODE(relink_call_set(work, old_below, &err), RELINK_E_WRITE, &err);
	rl_test_write(NULL);
	CHECK(has_failed);
	refused("rolled back", s.id);
	end_sleeper(&s);
	proved("rolled back");
}

/* ---- handlers ---- */

static struct sleeper *in_handler;

static void wait_in_handler(int signal)
{
	(void)signal;
	say(&in_handler->error);
	while (!in_handler->result)
		sleep_for(1e-3);
}

static void with_own_stack(struct sleeper *s)
{
	stack_t other = { .ss_sp = malloc(1 << 16), .ss_size = 1 << 16 };

	sigaltstack(&other, NULL);
	work(s);
	other.ss_flags = SS_DISABLE;
	sigaltstack(&other, NULL);
	free(other.ss_sp);
}

static void test_handler(int flags)
{
	struct sigaction a = { .sa_handler = wait_in_handler, .sa_flags = flags };
	struct sleeper s;

	sigaction(SIGUSR1, &a, NULL);
	CHECK_CODE(relink_call_set(work, old_loop, &err), RELINK_OK, &err);
	start_sleeper(&s, with_own_stack);
	in_handler = &s;
	pthread_kill(s.thread, SIGUSR1);
	wait_for(&s.error);
	CHECK_CODE(relink_call_set(work, new_work, &err), RELINK_OK, &err);
	refused("handler", s.id);
	say(&s.result);
	end_sleeper(&s);
	proved("handler");
}

/* ---- the caller itself ---- */

static int inside;

static __attribute__((noinline)) void old_itself(struct sleeper *s)
{
	CHECK_CODE(relink_call_set(work, new_work, &err), RELINK_OK, &err);
	inside = relink_quiesce(50, &err);
	CHECK(names(&err, (pid_t)syscall(SYS_gettid)));
	s->result = 4;
	BARRIER();
}

static void test_itself(void)
{
	struct sleeper s = { .result = 0 };

	CHECK_CODE(relink_call_set(work, old_itself, &err), RELINK_OK, &err);
	work(&s);
	CHECK(inside == RELINK_E_STOP && s.result == 4);
	proved("itself");
}

/* ---- threads that can't be looked at; stacks of nobody ---- */

static void deaf(struct sleeper *s)
{
	sigset_t all;
	char byte;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, NULL);
	say(&s->ready);
	s->result = (int)read(s->pipe[0], &byte, 1);
}

static void test_deaf(void)
{
	struct sleeper s;

	CHECK_CODE(relink_call_set(work, old_loop, &err), RELINK_OK, &err);
	CHECK_CODE(relink_call_set(work, new_work, &err), RELINK_OK, &err);
	start_sleeper(&s, deaf);
	CHECK_CODE(relink_quiesce(80, &err), RELINK_E_STOP, &err);
	CHECKF(names(&err, s.id) && strstr(err.text, "blocks signal"), "%s", err.text);
	end_sleeper(&s);
	proved("deaf");
}

static void test_foreign_stacks(void)
{
	CHECK_CODE(relink_declare(RELINK_FOREIGN_STACKS, &err), RELINK_OK, &err);
	CHECK_CODE(relink_quiesce(1000, &err), RELINK_E_STOP, &err);
	CHECK(strstr(err.text, "RELINK_FOREIGN_STACKS"));
	CHECK_CODE(relink_call_set(work, old_loop, &err), RELINK_OK, &err);
	CHECK_CODE(relink_quiesce(1000, NULL), RELINK_E_STOP, NULL);
}

int main(void)
{
	CHECK_CODE(relink_quiesce(0, &err), RELINK_OK, &err); /* nothing was ever left */
	test_inside("below", old_below);
	test_inside("loop", old_loop);
	test_inside("jump", old_jumps);
	test_inside("cold", old_cold);
	test_inside("never returns", old_never_returns);
	test_left();
	test_bound_again();
	if (RELINK_PATCHES_)
		test_rolled_back();
	test_handler(0);
	test_handler(SA_ONSTACK);
	test_itself();
	test_deaf();
	test_foreign_stacks();
	return check_done();
}
