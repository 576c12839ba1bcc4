/* SPDX-License-Identifier: MIT */
/* stop.c - parks all other threads for a commit: for how long it is tried, and whose frames the caller's are. */
#include <errno.h>
#include <time.h>

#include "runtime/runtime.h"

static unsigned stop_timeout = 1000;
static __thread uintptr_t caller_frame;

void rl_stop_timeout(unsigned timeout_ms)
{
	__atomic_store_n(&stop_timeout, timeout_ms, __ATOMIC_RELAXED);
}

void rl_stop_caller(uintptr_t frame)
{
	caller_frame = frame;
}

/* Who shares the memory without being a thread of ours can't be parked. A child of vfork will soon be gone. */
static bool await_sharers(unsigned timeout_ms)
{
	const struct timespec pause = { 0, 1000000 };

	while (rl_memory_is_shared()) {
		if (!timeout_ms--)
			return false;
		nanosleep(&pause, 0);
	}
	return true;
}

int rl_stop_others(struct rl_ranges *ranges, char *why, size_t size)
{
	struct rl_stop stop = { .ranges = ranges, .caller = caller_frame };
	struct rl_text t = rl_text_into(why, size);

	stop.timeout_ms = __atomic_load_n(&stop_timeout, __ATOMIC_RELAXED);
	rl_agent_pause(); /* blocks all signals; if it stays, it is who did not stop */
	if (await_sharers(stop.timeout_ms))
		return rl_park(&stop, why, size);
	rl_text_add(&t, "a process that is no thread of this one shares its memory (a child of vfork, or clone with CLONE_VM)");
	return -EBUSY;
}
