/* SPDX-License-Identifier: MIT */
/* now.c - see now.h. */
#include "now.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <relink/abi.h>

#include "code.h"
#include "process.h"

#define WINDOW 12
#define BEFORE 6 /* bytes in front of a relocated field that the port looks at */

static uint64_t number_of(const uint8_t *bytes, unsigned count)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < count && i < 8; i++)
		value |= (uint64_t)bytes[i] << 8 * i;
	return value;
}

static char *number_text(const struct model_choice *c, uint64_t value)
{
	unsigned shift = c->width < 8 ? 64 - 8 * c->width : 0;

	if (c->flags & RELINK_SIGNED)
		return text_format("%" PRId64, (int64_t)(value << shift) >> shift);
	return text_format("%" PRIu64, value << shift >> shift);
}

/* "main", "libz.so: inflate+0x10", "0x7f.." */
static char *place_of(const struct model *model, uint64_t address)
{
	const struct model *other = process_model_at(model->process, address);
	char *function = other ? function_of(other, address - other->bias) : NULL, *text;

	if (!function || !*function)
		text = text_format("0x%" PRIx64, address);
	else if (other == model)
		text = text_format("%s", function);
	else
		text = text_format("%s: %s", other->name, function);
	free(function);
	return text;
}

/* Another module knows what a choice of another module is. */
static const struct model_choice *defined(const struct model *model, const struct model_choice *c)
{
	for (size_t i = 0; c->elsewhere && i < model->process->count; i++)
		for (size_t k = 0; k < model->process->models[i]->choice_count; k++) {
			const struct model_choice *other = &model->process->models[i]->choices[k];

			if (!other->elsewhere && !other->anonymous && other->kind == c->kind && !strcmp(other->name, c->name))
				return other;
		}
	return c;
}

/* ---- sites ---- */

struct looking {
	struct model *model;
	const struct model_site *site;
	const uint8_t *now;
	char *states; /* those whose code this is, with "|" between */
	bool linked;
};

static bool is_instruction(const struct model_site *s)
{
	return s->kind <= RL_TRAMPOLINE;
}

/* An operand that the instruction ignores may be anything. */
static bool is_form(const struct looking *l, const struct model_form *form)
{
	if (!form->known || form->length != l->site->length)
		return false;
	if (is_instruction(l->site))
		return l->model->port->classify(l->site->kind, l->site->address, l->now, form->bytes) == RL_SAME;
	return !memcmp(form->bytes, l->now, form->length);
}

static int look(const struct model_form *form, void *ctx)
{
	struct looking *l = ctx;
	char *label, *longer;

	if (!is_form(l, form))
		return 0;
	if (form->state == MODEL_NONE && form->arm == MODEL_NONE) {
		l->linked = true;
		return 0;
	}
	label = form_label(l->model, l->site, form);
	longer = l->states ? text_format("%s|%s", l->states, label) : text_format("%s", label);
	free(l->states);
	free(label);
	l->states = longer;
	return 0;
}

/* Where a call that is none of its choice's states leads. NULL: it is no call. */
static char *target_of(const struct model *model, const struct model_site *s)
{
	uint64_t place = s->address + s->length - 4;
	uint8_t window[WINDOW];
	struct rl_found found;
	char *where, *text;

	if (!is_instruction(s) || s->kind == RL_BRANCH || !model_now(model, place - BEFORE, window, sizeof(window)) ||
	    !model->port->recognise(window, BEFORE, WINDOW, place, &found) || found.via_slot)
		return NULL;
	where = place_of(model, found.target + model->bias);
	text = text_format("to %s", where);
	free(where);
	return text;
}

char *site_now(struct model *model, const struct model_site *s)
{
	uint8_t now[MODEL_BYTES_MAX];
	struct looking l = { .model = model, .site = s, .now = now };
	char *target;

	if (!model_now(model, s->address, now, s->length))
		return text_format("%s", "unreadable");
	if (s->kind == RL_IMMEDIATE && s->choice != MODEL_NONE)
		return number_text(defined(model, &model->choices[s->choice]), number_of(now, s->length));
	model_forms(model, s, look, &l);
	if (l.states)
		return l.states;
	if (l.linked)
		return text_format("%s", "as linked");
	if (model->port->guard && now[0] == model->port->guard)
		return text_format("%s", "a breakpoint");
	target = target_of(model, s);
	return target ? target : text_format("%s", "other bytes");
}

/* ---- choices ---- */

static bool word_now(const struct model *model, uint64_t address, unsigned count, uint64_t *value)
{
	uint8_t bytes[8];

	if (!address || !model_now(model, address, bytes, count))
		return false;
	*value = number_of(bytes, count);
	return true;
}

static bool does_nothing(const struct model *model, uint64_t target)
{
	const struct model *other = process_model_at(model->process, target);
	uint64_t offset, size;
	const char *name;

	return other && model_symbol_at(other, target - other->bias, &name, &offset, &size) && !offset &&
	       !strcmp(name, "relink_do_nothing");
}

/* What the slot of a call or a table leads to. */
static char *leads_to(const struct model *model, const struct model_choice *c, uint64_t target)
{
	char *where, *text;

	for (size_t i = 0; i < c->state_count; i++)
		if (!c->states[i].symbol && c->states[i].want.what != RL_NOTHING && c->states[i].want.address + model->bias == target)
			return text_format("%s", c->states[i].name);
	where = place_of(model, target);
	for (size_t i = 0; i < c->state_count; i++)
		if (c->states[i].want.what == RL_NOTHING && (target == c->entry + model->bias || does_nothing(model, target))) {
			free(where);
			return text_format("%s", c->states[i].name);
		}
	text = text_format("to %s", where);
	free(where);
	return text;
}

char *choice_now(const struct model *model, const struct model_choice *c)
{
	uint64_t value, object;

	if (!model->process || c->elsewhere)
		return text_format("%s", "");
	object = process_object(model, c);
	if (c->kind == MODEL_KEY && word_now(model, object, 4, &value))
		return text_format("%s", value ? "on" : "off");
	if (c->kind == MODEL_OPTION && word_now(model, object, 4, &value))
		return text_format("%s", value < c->state_count ? c->states[value].name : "?");
	if (c->kind == MODEL_IMMEDIATE && word_now(model, object, 8, &value))
		return number_text(c, value);
	if ((c->kind == MODEL_CALL || c->kind == MODEL_OPS) && word_now(model, c->slot, 8, &value))
		return leads_to(model, c, value);
	return text_format("%s", "");
}
