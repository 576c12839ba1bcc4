/* SPDX-License-Identifier: MIT */
/*
 * quiesce.c - proves that no thread is in a function any more that calls have left.
 *
 * Nobody enters such a function through its call since the commit has returned, so each thread needs to be seen outside
 * once. The functions are listed under the lock, their code is found without it (the loader's lock comes first), and
 * commits may happen between two looks: they add functions, which are for the next proof.
 */
#include <stdlib.h>
#include <time.h>

#include "runtime/runtime.h"

#define STUBS 8        /* stubs that lead to stubs */
#define RANGES 4096
#define FIRST_LOOK 50u /* ms; each may take twice as long as the one before */
#define LONGEST_LOOK 1000u

struct proof {
	struct relink_error *err;
	uintptr_t *functions; /* as the core lists them */
	uintptr_t *real;      /* the same, or what a stub leads to */
	size_t count;
	uint64_t sequence;
	struct rl_range *list;
	size_t *owners;       /* which function each range is of */
	struct rl_ranges ranges;
	uint32_t number;
	const struct rl_range *inside; /* where somebody was found last */
	char why[256];
};

static int no_memory(struct proof *p)
{
	return rl_fail(p->err, RELINK_E_MEMORY, 0, "out of memory");
}

/* ---- the functions ---- */

/* Where a PLT stub or another call's trampoline leads; 0: it is neither. */
static uintptr_t behind_stub(uintptr_t address)
{
	const struct rl_port *port = rl_runtime.core.port;
	const uint8_t *code = (const uint8_t *)address;
	uint64_t slot;
	size_t opcode;

	if (port->plt_slot(code, 16, address, &slot) || port->trampoline(code, 16, address, &opcode, &slot))
		return *(const uintptr_t *)(uintptr_t)slot;
	return 0;
}

static uintptr_t real_function(uintptr_t address)
{
	uintptr_t next = behind_stub(address);

	for (int i = 0; i < STUBS && next && next != address; i++) {
		address = next;
		next = behind_stub(address);
	}
	return address;
}

static int list_functions(struct proof *p)
{
	struct rl_core *core = &rl_runtime.core;

	if (core->foreign_stacks)
		return rl_fail(p->err, RELINK_E_STOP, 0,
			       "the program has stacks that no thread runs on (RELINK_FOREIGN_STACKS): nothing can be proved about them");
	p->count = rl_old_list(core, 0, 0);
	p->functions = calloc(2 * p->count + 1, sizeof(*p->functions));
	if (!p->functions)
		return no_memory(p);
	p->real = p->functions + p->count;
	rl_old_list(core, p->functions, p->count);
	for (size_t i = 0; i < p->count; i++)
		p->real[i] = real_function(p->functions[i]);
	p->sequence = core->old_sequence;
	p->number = rl_proof();
	return 0;
}

static int list_functions_locked(struct proof *p)
{
	int r = rl_lock(p->err);

	if (r)
		return r;
	r = list_functions(p);
	rl_unlock();
	return r;
}

/* ---- their code ---- */


/* A stub counts as what is behind it. More than there is room for, if it does not fit. */
static size_t code_of(const struct proof *p, size_t i, struct rl_range *list, size_t room)
{
	size_t n = rl_function_code(p->functions[i], list, room);

	if (p->real[i] != p->functions[i] && n <= room)
		n += rl_function_code(p->real[i], list + n, room - n);
	return n;
}

static int find_code(struct proof *p)
{
	size_t count = 0;

	p->list = calloc(RANGES, sizeof(*p->list));
	p->owners = calloc(RANGES, sizeof(*p->owners));
	if (!p->list || !p->owners)
		return no_memory(p);
	for (size_t i = 0; i < p->count && count <= RANGES; i++) {
		size_t first = count;

		count += code_of(p, i, p->list + count, RANGES - count);
		for (size_t k = first; k < count && k < RANGES; k++)
			p->owners[k] = i;
	}
	if (count > RANGES)
		return rl_fail(p->err, RELINK_E_STOP, 0, "the functions that calls were bound to jump to too many others");
	for (size_t i = 0; i < count; i++)
		p->list[i].loaded = !RELINK_PATCHES_;
	p->ranges.list = p->list;
	p->ranges.count = count;
	rl_ranges_summarise(&p->ranges);
	return 0;
}

/* ---- the proof ---- */

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

static void wait_ms(unsigned ms)
{
	struct timespec t = { ms / 1000, (long)(ms % 1000) * 1000000 };

	nanosleep(&t, 0);
}

/* Somebody who was found inside is worth more words than somebody who did not stop the next time. */
static void remember(struct proof *p, const char *why)
{
	struct rl_text t = rl_text_into(p->why, sizeof(p->why));

	rl_text_add(&t, why);
	p->inside = p->ranges.inside;
}

static int look_locked(struct proof *p, struct rl_stop *stop)
{
	char why[sizeof(p->why)];
	int r;

	rl_agent_pause();
	r = rl_park(stop, why, sizeof(why));
	if (!r) {
		rl_resume();
		rl_old_forget(&rl_runtime.core, p->functions, p->count, p->sequence);
	} else if (!p->inside || p->ranges.inside) {
		remember(p, why);
	}
	return r ? RELINK_E_STOP : 0;
}

static int look(struct proof *p, struct rl_stop *stop)
{
	int r = rl_lock(p->err);

	if (r)
		return r;
	r = look_locked(p, stop);
	rl_unlock();
	return r;
}

static int fail(struct proof *p)
{
	uintptr_t function = p->inside ? p->real[p->owners[p->inside - p->list]] : 0;
	char name[128] = "", reason[512];
	struct rl_text t = rl_text_into(reason, sizeof(reason));

	rl_text_add(&t, p->why);
	if (function) {
		rl_symbol_name((const void *)function, name, sizeof(name));
		rl_text_add(&t, " in ");
		rl_text_add(&t, name);
		rl_text_add(&t, ", which a call was bound to");
	}
	return rl_fail_site(p->err, RELINK_E_STOP, 0, 0, function, reason);
}

static int prove(struct proof *p, unsigned timeout_ms, uintptr_t caller)
{
	struct rl_stop stop = { .ranges = &p->ranges, .caller = caller, .proof = p->number };
	double end = now_ms() + timeout_ms;
	unsigned most = FIRST_LOOK, pause = 1;

	for (;;) {
		double left = end - now_ms();
		int r;

		stop.timeout_ms = left <= 0 ? 0 : left < most ? (unsigned)left : most;
		r = look(p, &stop);
		if (r != RELINK_E_STOP)
			return r;
		if (left <= 0)
			return fail(p);
		wait_ms(pause);
		pause = pause < 16 ? 2 * pause : pause;
		most = most < LONGEST_LOOK ? 2 * most : most;
	}
}

int rl_quiesce(unsigned timeout_ms, uintptr_t caller, struct relink_error *err)
{
	struct proof p = { .err = err };
	int r = list_functions_locked(&p);

	if (!r && p.count) {
		r = find_code(&p);
		r = r ? r : prove(&p, timeout_ms, caller);
	}
	free(p.functions);
	free(p.list);
	free(p.owners);
	return r;
}
