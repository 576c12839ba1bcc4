/* SPDX-License-Identifier: MIT */
/* start.c - brings the serving copy to life, once per process. */
#include <stdlib.h>

#include "runtime/runtime.h"

struct rl_runtime rl_runtime;

static void *allocate(size_t size)
{
	return calloc(1, size);
}

/* Start-up mode needs certainty: what the kernel would not tell counts as "no". */
static bool alone(bool patient)
{
	if (rl_alone_in_memory())
		return true;
	if (!patient)
		return false;
	rl_agent_pause();
	return rl_threads_ended() && rl_alone_in_memory();
}

static struct rl_hooks hooks = {
	.alloc = allocate,
	.free = free,
	.begin = rl_text_begin,
	.write = rl_text_write,
	.store = rl_text_store,
	.barrier = rl_text_barrier,
	.end = rl_text_end,
	.alone = alone,
	.traps_refused = rl_traps_refused,
	.park = rl_stop_others,
	.resume = rl_resume,
	.protect = rl_data_protect,
};

/* For tests: called between the steps of every commit. */
void rl_test_step(void (*step)(int step))
{
	hooks.step = step;
}

static int store_by_write(uintptr_t address, const uint8_t bytes[8])
{
	return hooks.write(address, bytes, 8);
}

/* For tests: replaces the writer. */
void rl_test_write(int (*write)(uintptr_t address, const void *bytes, size_t length))
{
	hooks.write = write ? write : rl_text_write;
	hooks.store = write ? store_by_write : rl_text_store;
}

/* For tests: more code that nobody may be inside of when threads are parked. */
void rl_test_ranges(const struct rl_range *ranges, size_t count)
{
	hooks.ranges = ranges;
	hooks.range_count = count;
}

void rl_remark(const char *text)
{
	size_t used = rl_length(rl_runtime.notes);
	struct rl_text t = rl_text_into(rl_runtime.notes + used, sizeof(rl_runtime.notes) - used);

	rl_text_add(&t, text);
	rl_text_add(&t, "\n");
}

static void on_exit_(int status, void *unused)
{
	(void)status, (void)unused;
	__atomic_store_n(&rl_runtime.exiting, true, __ATOMIC_RELAXED);
	rl_linkage_at_exit();
	rl_agent_at_exit();
}

#if RELINK_PATCHES_ && defined(__x86_64__)
static void probe(struct rl_core *core)
{
	core->port = &rl_port_x86_64;
	rl_text_probe(&rl_runtime.abilities);
	core->can_write = rl_runtime.abilities.write;
	core->can_sync = rl_runtime.abilities.barrier;
	core->why = rl_runtime.abilities.why;
}
#else
static void probe(struct rl_core *core)
{
	core->port = &rl_port_generic;
	hooks.park = 0;
	hooks.protect = 0;
	rl_marker_create(); /* without it a vfork child would change its parent's flags */
	rl_runtime.abilities.writer = rl_runtime.abilities.barrier_name = "none";
	core->why = "this build keeps keys as flags and calls as pointers";
}
#endif

void rl_start(void)
{
	struct rl_core *core = &rl_runtime.core;

	core->hooks = &hooks;
	core->span = calloc(1, sizeof(*core->span));
	rl_runtime.cpu = core->cpu = rl_cpu_features();
	rl_runtime.secure = rl_secure();
	if (!rl_files_allowed())
		rl_remark("files can't be opened: a seccomp filter forbids it");
	probe(core);
	rl_locks_start();
	if (!core->span || !core->locks) {
		core->can_write = false;
		core->why = "out of memory at start";
	}
	rl_lock_init();
	rl_read_configuration();
	/* At exit modules are torn down one after the other: nothing is worth rebinding then. on_exit, unlike atexit, runs
	 * before the destructors of all modules, whichever of them we are part of. */
	on_exit(on_exit_, 0);
	rl_pin_module(&rl_runtime);
}
