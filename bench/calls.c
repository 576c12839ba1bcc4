/* SPDX-License-Identifier: MIT */
/*
 * calls.c - what a call costs, by kind. The build links this program twice: with relocations kept, its static calls are bound
 * (call.static); without, they stay on the trampoline (call.trampoline). Which one it is, is read from the code.
 */
#include "bench.h"
#include "callee.h"
#include "run-loops.h"
#include "static-call.h"

#include <string.h>

#define ROUNDS 31
#define CALL_OFFSET 3 /* of the call in a slot of chain.py: behind mov %rax,%rdi */
#define PAGE 4096u

extern const unsigned char chain_call_static_slots[], chain_call_far_slots[];

static uintptr_t jump_target(const unsigned char *at)
{
	int32_t rel;

	memcpy(&rel, at + 1, sizeof(rel));
	return (uintptr_t)at + 5 + (uintptr_t)(intptr_t)rel;
}

static const char *mode(void)
{
	static struct relink_status status = { .size = sizeof(status) };

	relink_get_status(&status);
	return status.mode;
}

/* Do the sites lead to the callee themselves? If not, the trampoline must: the name of a result has to be true. */
static int bound(const unsigned char *slots, uintptr_t trampoline)
{
	const unsigned char *site = slots + CALL_OFFSET, *code = (const unsigned char *)trampoline;

	if (jump_target(site) == (uintptr_t)bench_direct)
		return 1;
	if (jump_target(site) != trampoline)
		bench_die("calls: the static call leads somewhere unknown");
	if (*code != 0xe9 || jump_target(code) != (uintptr_t)bench_direct)
		bench_die("calls: the trampoline does not jump to its target; mode: %s", mode());
	return 0;
}

static int near_target(uintptr_t trampoline)
{
	return trampoline / PAGE == (uintptr_t)bench_direct / PAGE;
}

static void check(int is_bound)
{
	if (bound(chain_call_far_slots, (uintptr_t)bench_far) != is_bound)
		bench_die("calls: one static call is bound and the other is not");
	if (!near_target((uintptr_t)bench_static) || near_target((uintptr_t)bench_far))
		bench_die("calls: the linker did not place the trampolines where they should be");
}

#define CASES(prefix, shape) \
	{ prefix "direct", NULL, shape##_direct, NULL }, \
	{ is_bound ? prefix "static" : prefix "trampoline", prefix "direct", shape##_static, NULL }, \
	{ prefix "pointer", prefix "direct", shape##_pointer, NULL }, \
	{ prefix "plt", prefix "direct", shape##_plt, NULL }, \
	{ prefix "ifunc", prefix "direct", shape##_ifunc, NULL }, \
	{ prefix "retpoline", prefix "direct", shape##_retpoline, NULL }, \
	{ prefix "trampoline_far", prefix "direct", shape##_far, NULL }

int main(void)
{
	int is_bound = bound(chain_call_static_slots, (uintptr_t)bench_static);
	const struct bench_case dense[] = { CASES("call.", dense_call) };
	const struct bench_case random[] = { CASES("call.random4096.", chain_call) };
	unsigned count = sizeof(dense) / sizeof(*dense) - (is_bound ? 1 : 0);

	check(is_bound);
	bench_pin_first();
	bench_run_loops(dense, count, BENCH_DENSE, ROUNDS);
	bench_run_loops(random, count, BENCH_CHAIN, ROUNDS);
	return 0;
}
