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

#define CHAIN(name) extern const unsigned char chain_call_##name##_slots[], chain_call_##name##_slots_end[];
CHAIN(direct) CHAIN(static) CHAIN(pointer) CHAIN(plt) CHAIN(ifunc) CHAIN(retpoline) CHAIN(far)

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

/* For every kind the row of either table: name, reference, loop, code. */
#define DENSE(name, kind) { "call." name, strcmp(name, "direct") ? "call.direct" : NULL, dense_call_##kind, NULL, NULL, NULL }
#define RANDOM(name, kind) \
	{ "call.random4096." name, strcmp(name, "direct") ? "call.random4096.direct" : NULL, chain_call_##kind, NULL, \
	  chain_call_##kind##_slots, chain_call_##kind##_slots_end }
#define OTHERS(ROW) \
	ROW("direct", direct), ROW("pointer", pointer), ROW("ifunc", ifunc), ROW("plt", plt), ROW("retpoline", retpoline)

#define MEASURE(...) \
	do { \
		const struct bench_case cases[] = { __VA_ARGS__ }; \
		measure(cases, sizeof(cases) / sizeof(*cases)); \
	} while (0)

static void measure(const struct bench_case *cases, unsigned count)
{
	bench_own_code(cases, count);
	bench_run_loops(cases, count, cases[0].code ? BENCH_CHAIN : BENCH_DENSE, ROUNDS);
}

int main(void)
{
	int is_bound = bound(chain_call_static_slots, (uintptr_t)bench_static);

	check(is_bound);
	bench_pin_first();
	if (is_bound) {
		MEASURE(OTHERS(DENSE), DENSE("static", static));
		MEASURE(OTHERS(RANDOM), RANDOM("static", static));
	} else {
		MEASURE(OTHERS(DENSE), DENSE("trampoline", static), DENSE("trampoline_far", far));
		MEASURE(OTHERS(RANDOM), RANDOM("trampoline", static), RANDOM("trampoline_far", far));
	}
	return 0;
}
