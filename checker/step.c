/* SPDX-License-Identifier: MIT */
/* step.c - what one instruction does to what is known, and what there is to say of it. */
#include <string.h>

#include "internal.h"

static const struct value any = { VALUE_ANY, NULL, 0, false, false, false };
/* Stack pointers that were rounded down belong to a part of the stack of their own. */
#define OTHER_STACK 0x100000u

static struct value points(const struct subject *s, uint64_t address, bool exact)
{
	const struct marked *m = marked_at(s, address);

	if (m)
		return (struct value){ VALUE_POINTS, m, address, exact, false, false };
	return exact && model_is_code(s->model, address) ? (struct value){ VALUE_FUNCTION, NULL, address, true, false, false } : any;
}

static struct value moved(const struct subject *s, const struct value *base, uint64_t by, bool exact)
{
	struct value v = *base;

	v.number += by;
	if (v.kind != VALUE_POINTS)
		return exact && v.kind == VALUE_STACK ? v : any;
	if (!exact || !v.exact) { /* somewhere in it */
		v.exact = false;
		v.number = base->number;
		return v;
	}
	if (v.number - v.marked->start < v.marked->size)
		return v;
	v.marked = marked_at(s, v.number);
	return v.marked ? v : any;
}

/* What an operand in memory names: something marked, or a place on the stack. */
static struct value address_of(const struct context *c, const struct step *step, const struct state *state, bool *direct)
{
	const struct place *m = &step->memory;
	const struct value *base = m->base < 16 ? &state->reg[m->base] : &any, *index = m->index < 16 ? &state->reg[m->index] : &any;

	*direct = false;
	if (!m->is_there || m->index == REG_NONE - 1)
		return any;
	if (m->base == REG_RIP || (m->base == REG_NONE && m->index == REG_NONE && m->is_absolute) || m->is_absolute) {
		*direct = true;
		return points(c->subject, (uint64_t)m->displacement + (m->base == REG_RIP ? step->address + step->length : 0),
			      m->base == REG_RIP || (m->base == REG_NONE && m->index == REG_NONE));
	}
	if (base->kind != VALUE_ANY)
		return moved(c->subject, base, (uint64_t)m->displacement, m->index == REG_NONE);
	return index->kind == VALUE_POINTS ? moved(c->subject, index, 0, false) : any;
}

static struct pointed pointed(const struct value *v, bool direct)
{
	return (struct pointed){ v->marked, v->number, v->exact, v->maybe, direct };
}

/* ---- what an operand holds ---- */

static struct value loaded(const struct context *c, const struct step *step, const struct state *state, const struct value *address)
{
	uint64_t slot = step->address + step->length + (uint64_t)step->memory.displacement, held;

	if (address->kind == VALUE_STACK)
		return slot_get(state, address->number);
	if (step->memory.base != REG_RIP)
		return any;
	if (slot_address(c->subject, slot, &held))
		return points(c->subject, held, true);
	return slot_function(c->subject, slot) ? (struct value){ VALUE_IMPORT, NULL, slot, true, false, false } : any;
}

static struct value source_of(const struct context *c, const struct step *step, const struct state *state, const struct value *address)
{
	struct value v = any;

	if (step->has_number)
		return step->is_address ? points(c->subject, (uint64_t)step->number, true) : any;
	if (step->from < 16)
		v = state->reg[step->from];
	else if (step->memory.is_there && !step->memory.written)
		v = loaded(c, step, state, address);
	v.used = false;
	return v;
}

/* ---- stores ---- */

static void store(struct context *c, const struct step *step, struct state *state, const struct value *to, bool direct, bool report)
{
	struct value what = step->kind == STEP_STRING ? any : source_of(c, step, state, to);
	struct pointed p = pointed(to, direct);
	bool whole = step->memory.size == 8;

	if (to->kind == VALUE_POINTS && report) {
		if (step->kind == STEP_STRING)
			say_copy(c, step, &p, NULL);
		else
			say_store(c, step, &p);
	}
	if (to->kind == VALUE_STACK && step->kind != STEP_STRING && slot_set(state, to->number, whole ? &what : &any))
		return;
	p = pointed(&what, false);
	if (what.kind == VALUE_POINTS && whole && report)
		say_escape(c, step, &p, FOUND_KEPT, NULL);
}

/* ---- calls ---- */

static void pass(struct context *c, const struct step *step, const struct state *state, const struct callee *callee)
{
	static const uint8_t arguments[] = { 7, 6, 2, 1, 8, 9 };

	for (size_t i = 0; i < sizeof(arguments); i++) {
		const struct value *v = &state->reg[arguments[i]];
		struct pointed p = pointed(v, false);

		if (v->kind != VALUE_POINTS)
			continue;
		if (callee->writes_to == arguments[i])
			say_copy(c, step, &p, callee->name);
		else if (!v->used && callee->writes_to == REG_NONE && !callee->reads)
			say_escape(c, step, &p, FOUND_PASSED, callee->name);
	}
}

static void call(struct context *c, const struct step *step, struct state *state, bool report)
{
	static const uint8_t lost[] = { 0, 1, 2, 6, 7, 8, 9, 10, 11 };
	struct callee callee;

	callee_of(c->subject, c->function, step, step->to < 16 && !step->memory.is_there ? &state->reg[step->to] : NULL, &callee);
	if (callee.inside && step->kind != STEP_CALL)
		return;
	if (report && !callee.library)
		pass(c, step, state, &callee);
	state->committed |= callee.commits;
	for (size_t i = 0; i < sizeof(lost); i++)
		state->reg[lost[i]] = any;
}

static bool is_function(const struct value *v)
{
	return v->kind == VALUE_FUNCTION || v->kind == VALUE_IMPORT;
}

/* An indirect jump through a register may be one within the function, by a table. */
static bool leaves(const struct context *c, const struct step *step, const struct state *state)
{
	if (step->target)
		return step->target - c->function->start >= c->function->size;
	if (step->kind != STEP_JUMP)
		return false;
	return step->memory.is_there ? step->memory.index == REG_NONE : step->to < 16 && is_function(&state->reg[step->to]);
}

/* ---- registers ---- */

static void add(const struct context *c, const struct step *step, struct state *state)
{
	struct value *to = &state->reg[step->to];
	bool minus = step->kind == STEP_SUB;

	if (step->has_number && !step->is_address) {
		*to = moved(c->subject, to, minus ? -(uint64_t)step->number : (uint64_t)step->number, true);
	} else if (to->kind == VALUE_POINTS && !minus) {
		*to = moved(c->subject, to, 0, false);
	} else if (!minus && step->has_number) {
		*to = points(c->subject, (uint64_t)step->number, false);
	} else if (!minus && step->from < 16 && state->reg[step->from].kind == VALUE_POINTS) {
		*to = moved(c->subject, &state->reg[step->from], 0, false);
	} else {
		*to = any;
	}
}

static void push(const struct context *c, const struct step *step, struct state *state, const struct value *address)
{
	struct value v = source_of(c, step, state, address), *sp = &state->reg[REG_RSP];

	if (sp->kind != VALUE_STACK)
		return;
	sp->number -= 8;
	slot_set(state, sp->number, &v);
}

static void pop(const struct step *step, struct state *state)
{
	struct value *sp = &state->reg[REG_RSP], v = sp->kind == VALUE_STACK ? slot_get(state, sp->number) : any;

	if (sp->kind == VALUE_STACK)
		sp->number += 8;
	if (step->to < 16 && !step->memory.is_there)
		state->reg[step->to] = v;
}

static void exchange(const struct step *step, struct state *state)
{
	struct value v;

	if (step->memory.is_there || step->to >= 16 || step->from >= 16) {
		for (unsigned i = 0; i < 16; i++)
			if (i == step->to || i == step->from)
				state->reg[i] = any;
		return;
	}
	v = state->reg[step->to];
	state->reg[step->to] = state->reg[step->from];
	state->reg[step->from] = v;
}

static void leave(struct state *state)
{
	state->reg[REG_RSP] = state->reg[REG_RBP];
	if (state->reg[REG_RSP].kind == VALUE_STACK)
		state->reg[REG_RSP].number += 8;
	state->reg[REG_RBP] = any;
}

static void forget(const struct step *step, struct state *state)
{
	for (unsigned i = 0; i < 16; i++)
		if (step->clobbers >> i & 1 && i != REG_RSP)
			state->reg[i] = any;
	if (step->clobbers >> REG_RSP & 1 && state->reg[REG_RSP].kind == VALUE_STACK)
		state->reg[REG_RSP].number -= OTHER_STACK;
}

static void set_register(const struct context *c, const struct step *step, struct state *state, const struct value *address)
{
	bool whole = step->width == 8 || (step->width == 4 && step->is_address);
	struct value v;

	if (step->to >= 16 || (step->memory.is_there && step->memory.written))
		return;
	if (!whole) {
		state->reg[step->to] = any;
		return;
	}
	v = step->kind == STEP_LEA ? *address : source_of(c, step, state, address);
	v.used = false;
	if (step->kind == STEP_CHOOSE)
		value_join(&state->reg[step->to], &v);
	else
		state->reg[step->to] = v;
}

static void registers(struct context *c, const struct step *step, struct state *state, const struct value *address)
{
	switch (step->kind) {
	case STEP_MOVE: case STEP_LEA: case STEP_CHOOSE:
		set_register(c, step, state, address);
		break;
	case STEP_ADD: case STEP_SUB:
		if (step->to < 16 && !step->memory.is_there && step->width == 8)
			add(c, step, state);
		else
			forget(step, state);
		break;
	case STEP_PUSH:
		push(c, step, state, address);
		break;
	case STEP_POP:
		pop(step, state);
		break;
	case STEP_EXCHANGE:
		exchange(step, state);
		break;
	case STEP_LEAVE:
		leave(state);
		break;
	default:
		forget(step, state);
	}
}

/* ---- all together ---- */

/* In front of it: what it finds memory by. */
static void use_address(const struct step *step, struct state *state)
{
	if (!step->memory.is_there || step->kind == STEP_LEA)
		return;
	if (step->memory.base < 16)
		state->reg[step->memory.base].used = true;
	if (step->memory.index < 16)
		state->reg[step->memory.index].used = true;
}

/* Behind the instruction: registers that it has read, unless it has set them as well. */
static void use_sources(const struct step *step, struct state *state)
{
	if (step->from < 16 && step->from != step->to)
		state->reg[step->from].used = true;
	if (step->to < 16 && !(step->clobbers >> step->to & 1))
		state->reg[step->to].used = true;
}

/* What a function that is known to return nothing leaves behind, and what goes to where nothing is followed. */
static void say_others(struct context *c, const struct step *step, const struct state *state)
{
	const struct value *v = NULL;
	struct pointed p;

	if (step->kind == STEP_RETURN && !model_is_void(c->subject->model, c->function->start))
		v = &state->reg[0];
	else if (step->to_vector && step->from < 16)
		v = &state->reg[step->from];
	if (!v || v->kind != VALUE_POINTS || v->used)
		return;
	p = pointed(v, false);
	say_escape(c, step, &p, step->kind == STEP_RETURN ? FOUND_RETURNED : FOUND_KEPT, NULL);
}

void step_run(struct context *c, const struct step *step, struct state *state, bool report)
{
	bool direct;
	struct value address = address_of(c, step, state, &direct);

	c->committed = state->committed;
	if (step->kind == STEP_UNKNOWN && address.kind == VALUE_POINTS && report) {
		struct pointed p = pointed(&address, direct);

		say_unknown(c, step, &p);
	}
	if (step->memory.written)
		store(c, step, state, &address, direct, report);
	if (report)
		say_others(c, step, state);
	use_address(step, state);
	if (step->kind == STEP_CALL || ((step->kind == STEP_JUMP || step->kind == STEP_BRANCH) && leaves(c, step, state))) {
		struct state before = *state;

		call(c, step, state, report);
		if (step->kind == STEP_BRANCH) /* if it isn't taken, nothing has happened */
			*state = before;
		return;
	}
	registers(c, step, state, &address);
	if (step->kind != STEP_EXCHANGE)
		use_sources(step, state);
}
