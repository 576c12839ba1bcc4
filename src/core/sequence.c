/* SPDX-License-Identifier: MIT */
/*
 * sequence.c - what a sequence's site becomes: the native text, a template for its registers, or a jump: to a copy of a template
 * that does not fit, or to the thunk that calls a function.
 */
#include "core/core.h"

#define NO_OPERAND 255

struct rl_choice *rl_sequence_choice(const struct relink_sequence_use *use)
{
	const struct relink_sequence *sequence = *(const struct relink_sequence *const *)rl_at_field(&use->ref);

	return sequence->call.choice;
}

/* NULL: a function that is no variant. */
static const struct rl_variant *variant_of(const struct rl_choice *c, bool next)
{
	int state = next && c->touched ? c->next_state : c->state;

	return state == RL_CUSTOM ? 0 : &c->variants[state];
}

/* The register of an operand; NO_OPERAND if the use has none of that name. */
static unsigned register_of(const struct relink_sequence_use *use, unsigned operand)
{
	return operand < sizeof(use->operand) ? use->operand[operand] : NO_OPERAND;
}

/* The template's bytes for the registers of this use, its length in the last one; NULL: the use lacks an operand. */
static const uint8_t *instance_of(const struct relink_sequence_use *use, const struct rl_variant *v)
{
	unsigned row = 0;

	for (unsigned shift = 0; shift <= 8; shift += 8) {
		unsigned operand = v->constant >> shift & 0xff, r = register_of(use, operand);

		if (operand == NO_OPERAND)
			break;
		if (r == NO_OPERAND)
			return 0;
		row = 16 * row + r;
	}
	return v->table + RELINK_TEMPLATE_SIZE * row;
}

static bool place(const struct rl_core *core, const uint8_t *instance, uintptr_t to, size_t room, uint8_t *out)
{
	size_t length = instance[RELINK_TEMPLATE_SIZE - 1];

	if (length >= RELINK_TEMPLATE_SIZE || !core->port->move(instance, length, (uintptr_t)instance, to, out))
		return false;
	core->port->pad(out + length, room - length);
	return true;
}

static bool jump(const struct rl_core *core, uintptr_t site, uintptr_t target, size_t length, uint8_t *out)
{
	struct rl_want want = { RL_FUNCTION, false, target, 0 };
	uint8_t old[RL_SITE_MAX] = { 0 };
	size_t size = core->port->length[RL_TAIL];

	if (length < size || core->port->encode(RL_TAIL, site, site, &want, old, out) != RL_FITS)
		return false;
	core->port->pad(out + size, length - size);
	return true;
}

bool rl_encode_sequence(const struct rl_core *core, const struct relink_sequence_use *use, uintptr_t site, size_t length, bool next,
			const uint8_t *original, uint8_t *out)
{
	const struct rl_choice *c = rl_sequence_choice(use);
	const struct rl_variant *v = c ? variant_of(c, next) : 0;
	const uint8_t *instance;
	uint8_t copied[RELINK_COPY_SIZE];

	if (!c || (v && v->what == RL_NOTHING)) {
		for (size_t i = 0; i < length; i++)
			out[i] = original[i];
		return true;
	}
	if (!v || !v->table)
		return jump(core, site, rl_at_field(&use->thunk), length, out);
	instance = instance_of(use, v);
	if (!instance)
		return false;
	if (instance[RELINK_TEMPLATE_SIZE - 1] > length)
		return place(core, instance, rl_at_field(&use->copy), sizeof(copied), copied) &&
		       jump(core, site, rl_at_field(&use->copy), length, out);
	return place(core, instance, site, length, out);
}

bool rl_encode_copy(const struct rl_core *core, const struct relink_sequence_use *use, size_t length, bool next, uint8_t *out)
{
	const struct rl_choice *c = rl_sequence_choice(use);
	const struct rl_variant *v = c ? variant_of(c, next) : 0;
	const uint8_t *instance = v && v->table ? instance_of(use, v) : 0;

	return instance && instance[RELINK_TEMPLATE_SIZE - 1] > length &&
	       place(core, instance, rl_at_field(&use->copy), RELINK_COPY_SIZE, out);
}
