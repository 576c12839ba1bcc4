/* SPDX-License-Identifier: MIT */
/*
 * state.c - what is known before an instruction: registers and words of the stack that hold the address of something marked.
 *
 * Where ways join, an address that came on one of them stays, as one that may be there: a store through it would be one on that way.
 */
#include <string.h>

#include "internal.h"

static const struct value any = { VALUE_ANY, NULL, 0, false, false, false };

void state_clear(struct state *state)
{
	memset(state, 0, sizeof(*state));
	state->reached = true;
}

static bool is_same(const struct value *a, const struct value *b)
{
	return a->kind == b->kind && a->marked == b->marked && a->number == b->number && a->exact == b->exact && a->maybe == b->maybe &&
	       a->used == b->used;
}

/* Only ever goes one way, so that loops end: to `maybe`, to inexact, to what lies first. */
bool value_join(struct value *into, const struct value *from)
{
	struct value v = *into;

	if (is_same(into, from))
		return false;
	if (v.kind != VALUE_POINTS && from->kind != VALUE_POINTS) {
		v = any;
	} else if (v.kind != VALUE_POINTS) {
		v = *from;
		v.maybe = true;
	} else if (from->kind != VALUE_POINTS) {
		v.maybe = true;
	} else if (v.marked == from->marked) {
		v.exact &= from->exact && v.number == from->number;
		v.maybe |= from->maybe;
		v.used &= from->used;
	} else {
		if (from->marked < v.marked)
			v = *from;
		v.maybe = true;
	}
	if (is_same(into, &v))
		return false;
	*into = v;
	return true;
}

static struct slot *slot_at(struct state *state, uint64_t at)
{
	for (unsigned i = 0; i < state->slot_count; i++)
		if (state->slots[i].at == at)
			return &state->slots[i];
	return NULL;
}

static bool join_slots(struct state *into, const struct state *from)
{
	bool changed = false;

	for (unsigned i = 0; i < into->slot_count; i++) {
		struct value other = slot_get(from, into->slots[i].at);

		changed |= value_join(&into->slots[i].value, &other);
	}
	for (unsigned i = 0; i < from->slot_count; i++) {
		struct value value = from->slots[i].value;

		if (slot_at(into, from->slots[i].at))
			continue;
		value.maybe = true;
		changed |= slot_set(into, from->slots[i].at, &value);
	}
	return changed;
}

bool state_join(struct state *into, const struct state *from)
{
	bool changed = false;

	if (!into->reached) {
		*into = *from;
		into->reached = true;
		return true;
	}
	for (unsigned i = 0; i < 16; i++)
		changed |= value_join(&into->reg[i], &from->reg[i]);
	changed |= join_slots(into, from);
	if (from->committed && !into->committed)
		changed = into->committed = true;
	return changed;
}

bool slot_set(struct state *state, uint64_t at, const struct value *value)
{
	struct slot *slot = slot_at(state, at);

	if (value->kind != VALUE_POINTS) {
		if (slot)
			*slot = state->slots[--state->slot_count];
		return true;
	}
	if (!slot && state->slot_count == SLOTS)
		return false;
	if (!slot)
		slot = &state->slots[state->slot_count++];
	*slot = (struct slot){ at, *value };
	return true;
}

struct value slot_get(const struct state *state, uint64_t at)
{
	for (unsigned i = 0; i < state->slot_count; i++)
		if (state->slots[i].at == at)
			return state->slots[i].value;
	return any;
}
