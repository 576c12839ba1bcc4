/* SPDX-License-Identifier: MIT */
/* park_words.c - what is said when threads could not be stopped. Called while everybody runs: libc may be used. */
#include "park.h"

#ifdef RL_X86_64

#include <stdio.h>

static void say_thread(const struct rl_trouble *t, const char *what, char *why, size_t size)
{
	char others[48] = "";

	if (t->others)
		snprintf(others, sizeof(others), "; %u more did not stop", t->others);
	snprintf(why, size, "thread %d (%s) %s%s", (int)t->thread, t->state.name, what, others);
}

static void say_waiting(const struct rl_trouble *t, int signal, char *why, size_t size)
{
	char what[120];

	if (rl_park_blocked(&t->state, signal))
		snprintf(what, sizeof(what), "blocks signal %d (SIGRTMAX-%d), which stops threads", signal, 64 - signal);
	else if (t->state.state == 'T' || t->state.state == 't')
		snprintf(what, sizeof(what), "is stopped by a debugger or by SIGSTOP");
	else if (t->state.state == 'D')
		snprintf(what, sizeof(what), "is in a system call that can't be interrupted (vfork?)");
	else
		snprintf(what, sizeof(what), "did not stop in time");
	say_thread(t, what, why, size);
}

static void say_inside(const struct rl_trouble *t, char *why, size_t size)
{
	char what[160];

	if (t->frame.range)
		snprintf(what, sizeof(what), "is inside: frame 0x%lx", (unsigned long)t->frame.address);
	else
		snprintf(what, sizeof(what), "can't be told to be outside: %s", t->frame.why);
	say_thread(t, what, why, size);
}

void rl_park_say(const struct rl_trouble *t, int signal, char *why, size_t size)
{
	switch (t->what) {
	case RL_WAITING:
		say_waiting(t, signal, why, size);
		break;
	case RL_INSIDE:
		say_inside(t, why, size);
		break;
	case RL_NO_LIST:
		snprintf(why, size, "threads can't be listed: /proc/self/task can't be read (error %ld)", -t->error);
		break;
	case RL_NO_MAPS:
		snprintf(why, size, "stacks can't be found: /proc/self/maps can't be read");
		break;
	case RL_FULL:
		snprintf(why, size, "out of memory for the list of threads");
		break;
	default:
		snprintf(why, size, "threads are made faster than they can be stopped");
	}
}

#endif
