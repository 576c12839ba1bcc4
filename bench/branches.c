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

int main(void)
{
	static const struct bench_case dense[] = {
		{ "branch.none", NULL, dense_branch_none, NULL },
		{ "branch.key_off", "branch.none", dense_branch_key, off },
		{ "branch.key_on", "branch.none", dense_branch_key, on },
		{ "branch.flag", "branch.none", dense_branch_flag, off },
		{ "branch.flag_on", "branch.none", dense_branch_flag, on },
	};
	static const struct bench_case random[] = {
		{ "branch.random4096.none", NULL, chain_branch_none, NULL },
		{ "branch.random4096.key_off", "branch.random4096.none", chain_branch_key, off },
		{ "branch.random4096.key_on", "branch.random4096.none", chain_branch_key, on },
		{ "branch.random4096.flag", "branch.random4096.none", chain_branch_flag, off },
		{ "branch.random4096.flag_on", "branch.random4096.none", chain_branch_flag, on },
	};

	bench_pin_first();
	bench_run_loops(dense, sizeof(dense) / sizeof(*dense), BENCH_DENSE, ROUNDS);
	bench_run_loops(random, sizeof(random) / sizeof(*random), BENCH_CHAIN, ROUNDS);
	return 0;
}
