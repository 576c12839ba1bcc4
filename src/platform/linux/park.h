/* SPDX-License-Identifier: MIT */
/*
 * park.h - what stopping threads takes: their list, their state, their stacks.
 *
 * While others are parked each of them may hold any lock of libc's, the loader's or the program's: nothing here calls any of
 * them, or allocates.
 */
#ifndef RL_PLATFORM_LINUX_PARK_H
#define RL_PLATFORM_LINUX_PARK_H

#include "system.h"

#include "core/range.h"

#ifdef RL_X86_64

#include <ucontext.h>

/* ---- tasks.c ---- */

struct rl_tasks {
	long descriptor; /* of /proc/self/task, -1 if it can't be had */
	char buffer[4096];
};
RL_HIDDEN long rl_tasks_open(struct rl_tasks *tasks); /* 0 or -errno */
RL_HIDDEN void rl_tasks_close(struct rl_tasks *tasks);
/* How many threads the kernel counts, 0 if it does not say. */
RL_HIDDEN unsigned rl_tasks_count(struct rl_tasks *tasks);
/* Visits each thread; returns how many there were, or -errno. A list that changes meanwhile may be incomplete. */
RL_HIDDEN long rl_tasks_each(struct rl_tasks *tasks, void (*visit)(int32_t thread, void *ctx), void *ctx);

struct rl_task_state {
	char state;      /* as in /proc: R, S, D, T, t, Z, X; 0: the thread has gone, or it can't be known */
	char name[16];
	uint64_t blocked, pending; /* signals */
};
RL_HIDDEN void rl_task_look(int32_t thread, struct rl_task_state *state);

/* ---- frames.c ---- */

#define RL_STACKS 6 /* that one thread may be on at once: each signal handler may have one */

/* A thread that stands still. */
struct rl_stack_walk {
	const ucontext_t *context; /* where it was interrupted, NULL: `pc` and `sp` say it */
	uintptr_t pc, sp;
	uintptr_t tcb;             /* its thread pointer: glibc keeps it on top of the thread's stack; 0: unknown */
};

struct rl_frame_found {
	uintptr_t address;          /* pc or return address */
	const struct rl_range *range; /* that it is in; NULL: the stacks could not be read to their ends */
	const char *why;            /* then */
};
/* Before anybody stands still: gets memory. False: there is none. */
RL_HIDDEN bool rl_frames_prepare(void);
/* While all stand still: where stacks may be, and how signal frames are known. False: it can't be told. */
RL_HIDDEN bool rl_frames_begin(void);
/* Is a frame of that thread inside of one of the ranges? */
RL_HIDDEN bool rl_frames_inside(const struct rl_stack_walk *walk, const struct rl_ranges *ranges, struct rl_frame_found *found);

/* ---- park_signal.c ---- */

/* The handler's return address. */
extern const char rl_park_return[] RL_HIDDEN;

struct rl_park_signal {
	int number; /* 0: none yet */
	struct rl_disposition previous;
};
/* Chooses a signal and installs its handler, unless that has been done and nobody has undone it. 0, -EBUSY: there is none
 * left, or another -errno. */
RL_HIDDEN int rl_park_install(struct rl_tasks *tasks, rl_handler *handler, struct rl_park_signal *ours);

/* ---- park_words.c ---- */

/* Why threads could not be stopped. */
struct rl_trouble {
	enum { RL_NO_TROUBLE, RL_NO_LIST, RL_NO_MAPS, RL_FULL, RL_CHANGING, RL_WAITING, RL_INSIDE } what;
	long error;
	int32_t thread;
	unsigned others; /* that did not stop either */
	struct rl_task_state state;
	struct rl_frame_found frame;
	bool own; /* the caller's */
};
/* Does the program block it in that thread? Libc's own signals, 32 and 33, are blocked by our handler and inside of libc
 * only, and not for long. */
RL_RAW static inline bool rl_park_blocked(const struct rl_task_state *state, int signal)
{
	return (state->blocked & RL_SIGNAL_BIT(signal)) && !(state->blocked & RL_SIGNAL_BIT(32));
}
RL_HIDDEN void rl_park_say(const struct rl_trouble *t, int signal, char *why, size_t size);

#endif
#endif
