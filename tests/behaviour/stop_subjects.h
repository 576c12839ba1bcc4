/* SPDX-License-Identifier: MIT */
/* stop_subjects.h - what the tests of stop mode have in common: choices, and threads that wait in one way or another. */
#ifndef TEST_STOP_SUBJECTS_H
#define TEST_STOP_SUBJECTS_H

#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>

#include "stress.h"

RELINK_KEY_FALSE(first, "changes together with second");
RELINK_KEY_FALSE(second, "changes together with first");
RELINK_KEY_FALSE(decided, "a final key", RELINK_FINAL);
RELINK_DECLARE_CALL(int, which, (void));
RELINK_DECLARE_CALL(int, settled, (void));
static __attribute__((noinline)) int which_one(void) { __asm__ volatile(""); return 1; }
static __attribute__((noinline)) int which_two(void) { __asm__ volatile(""); return 2; }
RELINK_DEFINE_CALL(which, which_one, "one or two");
RELINK_VARIANT(which, which_two, .rank = -1);
RELINK_DEFINE_CALL(settled, which_one, "a final call", RELINK_FINAL);
RELINK_VARIANT(settled, which_two, .rank = -1);

__attribute__((unused)) static struct relink_error err;

/* All four, at once. */
__attribute__((unused)) static int set_all(bool on, int mode, struct relink_error *e)
{
	struct relink_commit c = RELINK_COMMIT;

	relink_set_key(&c, first, on);
	relink_set_key(&c, second, on);
	relink_set_call(&c, which, on ? which_two : which_one);
	if (mode == RELINK_STOP) {
		relink_set_key(&c, decided, on);
		relink_set_call(&c, settled, on ? which_two : which_one);
	}
	return relink_commit(&c, mode, e);
}

__attribute__((unused)) static bool all_are(bool on)
{
	return (relink_unlikely(first) ? on : !on) && (relink_unlikely(second) ? on : !on) && which() == 1 + on;
}

__attribute__((unused)) static bool finals_are(bool on)
{
	return (relink_unlikely(decided) ? on : !on) && settled() == 1 + on;
}

/* ---- a thread that says where it is ---- */

struct sleeper {
	pthread_t thread;
	void (*body)(struct sleeper *s);
	pid_t id;
	int pipe[2];
	volatile int ready, go, result, error;
};

__attribute__((unused)) static void *run_sleeper(void *argument)
{
	struct sleeper *s = argument;

	s->id = (pid_t)syscall(SYS_gettid);
	s->body(s);
	return NULL;
}

__attribute__((unused)) static void wait_for(volatile int *flag)
{
	while (!__atomic_load_n(flag, __ATOMIC_SEQ_CST))
		sleep_for(100e-6);
}

__attribute__((unused)) static void say(volatile int *flag)
{
	__atomic_store_n(flag, 1, __ATOMIC_SEQ_CST);
}

__attribute__((unused)) static void start_sleeper(struct sleeper *s, void (*body)(struct sleeper *s))
{
	memset(s, 0, sizeof(*s));
	s->body = body;
	CHECK(pipe(s->pipe) == 0);
	CHECK(pthread_create(&s->thread, NULL, run_sleeper, s) == 0);
	wait_for(&s->ready);
}

__attribute__((unused)) static void end_sleeper(struct sleeper *s)
{
	say(&s->go);
	close(s->pipe[1]);
	pthread_join(s->thread, NULL);
	close(s->pipe[0]);
}

/* Waits until the kernel says that the thread sleeps. */
__attribute__((unused)) static void wait_until_asleep(pid_t thread)
{
	char path[64], line[512], *state;
	bool asleep = false;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", (int)thread);
	while (!asleep) {
		FILE *f = fopen(path, "r");

		state = f && fgets(line, sizeof(line), f) ? strrchr(line, ')') : NULL;
		asleep = !state || strchr("SDTt", state[2]);
		if (f)
			fclose(f);
		sleep_for(1e-3);
	}
}

__attribute__((unused)) static bool names(const struct relink_error *e, pid_t thread)
{
	char text[32];

	snprintf(text, sizeof(text), "thread %d ", (int)thread);
	return strstr(e->text, text) != NULL;
}

#endif
