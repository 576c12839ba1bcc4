/* SPDX-License-Identifier: MIT */
/* park_signal.c - the signal that stops threads: which one, and whose handler it had before. Nobody stands still here. */
#include "park.h"

#ifdef RL_X86_64

#include <errno.h>

#define FIRST_SIGNAL 62 /* programs count from both ends; 64 is valgrind's */
#define LAST_SIGNAL 35

/* Unwinders know a signal frame by exactly these bytes. One of our own: frames of parked threads are no frames of the
 * program. */
__asm__(".pushsection .text\n"
	".balign 16\n"
	".globl rl_park_return\n"
	".hidden rl_park_return\n"
	".type rl_park_return, @function\n"
	"	nop\n"
	"rl_park_return:\n"
	"	.byte 0x48, 0xc7, 0xc0, 0x0f, 0x00, 0x00, 0x00\n" /* mov $15, %rax */
	"	syscall\n"
	".size rl_park_return, . - rl_park_return\n"
	".popsection\n");

RL_RAW static void add_blocked(int32_t thread, void *ctx)
{
	struct rl_task_state state;

	rl_task_look(thread, &state);
	*(uint64_t *)ctx |= state.blocked;
}

RL_RAW static bool is_unused(int signal)
{
	RL_FORGOTTEN struct rl_disposition now;

	return rl_disposition_set(signal, NULL, &now) == 0 && now.handler == (uintptr_t)SIG_DFL;
}

RL_RAW static int unused_signal(uint64_t avoid)
{
	int signal = FIRST_SIGNAL;

	while (signal >= LAST_SIGNAL && ((avoid & RL_SIGNAL_BIT(signal)) || !is_unused(signal)))
		signal--;
	return signal;
}

/* What a thread blocks it may be waiting for with sigwait(3): better one that nobody blocks. */
static int choose_signal(struct rl_tasks *tasks)
{
	uint64_t blocked = 0;
	int signal;

	rl_tasks_each(tasks, add_blocked, &blocked);
	signal = unused_signal(blocked);
	return signal >= LAST_SIGNAL ? signal : unused_signal(0);
}

static bool is_installed(const struct rl_park_signal *ours, rl_handler *handler)
{
	RL_FORGOTTEN struct rl_disposition now;

	return ours->number && rl_disposition_set(ours->number, NULL, &now) == 0 && now.handler == (uintptr_t)handler;
}

int rl_park_install(struct rl_tasks *tasks, rl_handler *handler, struct rl_park_signal *ours)
{
	RL_FORGOTTEN struct rl_disposition set;
	int error;

	if (is_installed(ours, handler))
		return 0;
	ours->number = choose_signal(tasks);
	if (ours->number < LAST_SIGNAL)
		return -EBUSY;
	rl_disposition_ours(&set, handler, SA_ONSTACK | SA_RESTART);
	set.restorer = (uintptr_t)rl_park_return;
	set.mask = ~RL_SYNCHRONOUS;
	error = rl_disposition_set(ours->number, &set, &ours->previous);
	if (error < 0)
		ours->number = 0;
	return error;
}

#endif
