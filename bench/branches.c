/* SPDX-License-Identifier: MIT */
/* branches.c - what a branch costs in front of a fixed body: none, a static key, a global flag. */
#include "bench.h"
#include "branch.h"
#include "run-loops.h"

#define ROUNDS 31

RELINK_KEY_FALSE(bench_key, "the key that is measured");
int bench_flag;

static void set(int on)
{
	struct relink_error err;

	bench_flag = on;
	if (relink_key_enabled(bench_key) != on && relink_key_set(bench_key, on, &err) != 0)
		bench_die("branches: %s", relink_error_text(&err));
}

static void off(void)
{
	set(0);
}

static void on(void)
{
	set(1);
}

#define CHAIN(name) extern const unsigned char chain_branch_##name##_slots[], chain_branch_##name##_slots_end[];
CHAIN(none) CHAIN(key) CHAIN(flag)

#define RANDOM(name, to, kind, before) \
	{ "branch.random4096." name, to, chain_branch_##kind, before, chain_branch_##kind##_slots, chain_branch_##kind##_slots_end }

int main(void)
{
	static const struct bench_case dense[] = {
		{ "branch.none", NULL, dense_branch_none, NULL, NULL, NULL },
		{ "branch.key_off", "branch.none", dense_branch_key, off, NULL, NULL },
		{ "branch.key_on", "branch.none", dense_branch_key, on, NULL, NULL },
		{ "branch.use_off", "branch.none", dense_branch_use, off, NULL, NULL },
		{ "branch.use_on", "branch.none", dense_branch_use, on, NULL, NULL },
		{ "branch.flag", "branch.none", dense_branch_flag, off, NULL, NULL },
		{ "branch.flag_on", "branch.none", dense_branch_flag, on, NULL, NULL },
	};
	static const struct bench_case random[] = {
		RANDOM("none", NULL, none, NULL),
		RANDOM("key_off", "branch.random4096.none", key, off),
		RANDOM("key_on", "branch.random4096.none", key, on),
		RANDOM("flag", "branch.random4096.none", flag, off),
		RANDOM("flag_on", "branch.random4096.none", flag, on),
	};

	bench_pin_first();
	bench_own_code(random, sizeof(random) / sizeof(*random));
	bench_run_loops(dense, sizeof(dense) / sizeof(*dense), BENCH_DENSE, ROUNDS);
	bench_run_loops(random, sizeof(random) / sizeof(*random), BENCH_CHAIN, ROUNDS);
	return 0;
}
