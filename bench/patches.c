/* SPDX-License-Identifier: MIT */
/* patches.c - what sequences, immediates, lock prefixes and function variants cost, beside what people write without them. */
#include "bench.h"
#include "patch.h"
#include "run-loops.h"

#define ROUNDS 31

RELINK_SEQUENCE(bench_interrupt, "writes the flag that is measured");
RELINK_IMMEDIATE(uint32_t, bench_number, 12345, "the number that is measured");
uint32_t bench_loaded = 12345;

/* As long as the native text, and the same work. */
RELINK_TEMPLATE_1(bench_interrupt, other, in1, "movq %\\in1, bench_other_interrupts(%rip)", .rank = -1);
__attribute__((used)) uint64_t bench_interrupts, bench_other_interrupts;
uint64_t bench_counter;

static void bind(const char *state)
{
	struct relink_commit c = RELINK_COMMIT;
	struct relink_error err;

	relink_set(&c, "bench_interrupt", state);
	if (relink_commit(&c, RELINK_STARTUP, &err) < 0)
		bench_die("patches: %s", relink_error_text(&err));
}

static void native(void)
{
	bind("native");
}

static void template(void)
{
	bind("other");
}

static void function(void)
{
	struct relink_error err;

	if (relink_sequence_set(bench_interrupt, bench_store, &err) < 0)
		bench_die("patches: %s", relink_error_text(&err));
}

static void locks(const char *state)
{
	struct relink_commit c = RELINK_COMMIT;
	struct relink_error err;

	relink_set(&c, "locks", state);
	if (relink_commit(&c, RELINK_LIVE, &err) < 0)
		bench_die("patches: %s", relink_error_text(&err));
}

static void locked(void)
{
	locks("on");
}

static void unlocked(void)
{
	locks("off");
}

static void way_one(void)
{
	struct relink_error err;

	if (relink_apply("bench_way=one", &err) < 0)
		bench_die("patches: %s", relink_error_text(&err));
}

int main(void)
{
	static const struct bench_case sequences[] = {
		{ "sequence.bare", NULL, dense_sequence_bare, NULL, NULL, NULL },
		{ "sequence.native", "sequence.bare", dense_sequence_wrapped, native, NULL, NULL },
		{ "sequence.template", "sequence.bare", dense_sequence_wrapped, template, NULL, NULL },
		{ "sequence.thunk", "sequence.bare", dense_sequence_wrapped, function, NULL, NULL },
		{ "sequence.call", "sequence.bare", dense_sequence_call, NULL, NULL, NULL },
		{ "sequence.pointer", "sequence.bare", dense_sequence_pointer, NULL, NULL, NULL },
	};
	static const struct bench_case immediates[] = {
		{ "immediate.constant", NULL, dense_immediate_constant, NULL, NULL, NULL },
		{ "immediate.number", "immediate.constant", dense_immediate_number, NULL, NULL, NULL },
		{ "immediate.loaded", "immediate.constant", dense_immediate_loaded, NULL, NULL, NULL },
	};

	static const struct bench_case atomics[] = {
		{ "atomic.plain", NULL, dense_atomic_plain, NULL, NULL, NULL },
		{ "atomic.unlocked", "atomic.plain", dense_atomic_counted, unlocked, NULL, NULL },
		{ "atomic.locked", "atomic.plain", dense_atomic_counted, locked, NULL, NULL },
	};
	static const struct bench_case functions[] = {
		{ "function.hand", NULL, dense_function_hand, NULL, NULL, NULL },
		{ "function.variant", "function.hand", dense_function_variant, NULL, NULL, NULL },
		{ "function.tested", "function.hand", dense_function_tested, NULL, NULL, NULL },
	};

	bench_pin_first();
	way_one();
	bench_run_loops(sequences, sizeof(sequences) / sizeof(*sequences), BENCH_DENSE, ROUNDS);
	bench_run_loops(atomics, sizeof(atomics) / sizeof(*atomics), BENCH_DENSE, ROUNDS);
	bench_run_loops(functions, sizeof(functions) / sizeof(*functions), BENCH_DENSE, ROUNDS);
	bench_run_loops(immediates, sizeof(immediates) / sizeof(*immediates), BENCH_DENSE, ROUNDS);
	return 0;
}
