/* SPDX-License-Identifier: MIT */
/*
 * old.c - functions that calls were bound to before: threads may still be in them, until somebody proves that none is.
 * Also if they were bound for a moment only, by a commit that failed and was rolled back.
 *
 * A function is listed once however often calls leave it, so that the list is as long as there are targets.
 */
#include "core/core.h"

static size_t count_moves(const struct rl_plan *plan)
{
	size_t n = 0;

	for (size_t i = 0; i < plan->choice_count; i++)
		n += rl_call_moves(plan->choices[i]);
	return n;
}

bool rl_old_reserve(struct rl_plan *plan)
{
	struct rl_core *core = plan->core;
	size_t need = core->old_count + count_moves(plan), capacity = core->old_capacity ? core->old_capacity : 8;
	struct rl_old *grown;

	if (need <= core->old_capacity)
		return true;
	while (capacity < need)
		capacity *= 2;
	grown = core->hooks->alloc(capacity * sizeof(*grown));
	if (!grown)
		return false;
	for (size_t i = 0; i < core->old_count; i++)
		grown[i] = core->old[i];
	if (core->old)
		core->hooks->free(core->old);
	core->old = grown;
	core->old_capacity = capacity;
	return true;
}

void rl_old_add(struct rl_core *core, uintptr_t address)
{
	size_t i = 0;

	if (!address) /* a pointer that was NULL */
		return;
	while (i < core->old_count && core->old[i].address != address)
		i++;
	core->old_count += i == core->old_count;
	core->old[i] = (struct rl_old){ address, ++core->old_sequence };
}

static bool is_bound(const struct rl_core *core, uintptr_t address)
{
	for (const struct rl_choice *c = core->choices; c; c = c->next)
		if ((c->kind == RELINK_CALL || rl_is_pointer(c)) && rl_want_of(c, c->state, c->bound_custom).address == address)
			return true;
	return false;
}

size_t rl_old_list(const struct rl_core *core, uintptr_t *list, size_t capacity)
{
	size_t n = 0;

	for (size_t i = 0; i < core->old_count; i++) {
		if (is_bound(core, core->old[i].address))
			continue;
		if (n < capacity)
			list[n] = core->old[i].address;
		n++;
	}
	return n;
}

static void drop(struct rl_core *core, size_t i)
{
	core->old[i] = core->old[--core->old_count];
}

void rl_old_forget(struct rl_core *core, const uintptr_t *list, size_t count, uint64_t sequence)
{
	for (size_t i = core->old_count; i-- > 0;) {
		bool listed = false;

		for (size_t k = 0; k < count && !listed; k++)
			listed = list[k] == core->old[i].address;
		if (listed && core->old[i].sequence <= sequence)
			drop(core, i);
	}
}

void rl_old_forget_range(struct rl_core *core, uintptr_t start, uintptr_t stop)
{
	for (size_t i = core->old_count; i-- > 0;)
		if (core->old[i].address >= start && core->old[i].address < stop)
			drop(core, i);
}
