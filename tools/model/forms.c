/* SPDX-License-Identifier: MIT */
/* forms.c - what bytes would be at a site in every state of its choice, by the rules of the runtime and the port. */
#include <string.h>

#include "internal.h"
#include "layout.h"

#define NO_OPERAND 255

typedef int form_visitor(const struct model_form *form, void *ctx);

static const struct model_choice *choice_of(const struct model *model, const struct model_site *site)
{
	return site->choice == MODEL_NONE ? NULL : &model->choices[site->choice];
}

static int show(const struct model *model, const struct model_site *site, struct model_form *form, form_visitor *visit, void *ctx)
{
	const uint8_t *bytes = image_at(model->image, site->address, site->length);

	form->length = site->length;
	if (form->state == MODEL_NONE && form->arm == MODEL_NONE && bytes) {
		memcpy(form->bytes, bytes, site->length);
		form->known = true;
	}
	return visit(form, ctx);
}

/* ---- one instruction ---- */

static void encode(const struct model *model, const struct model_site *site, const struct rl_want *want, struct model_form *form)
{
	const uint8_t *old = image_at(model->image, site->address, RL_SITE_MAX);
	enum rl_fit fit;

	if (!old)
		old = image_at(model->image, site->address, site->length);
	if (!old)
		return;
	fit = model->port->encode(site->kind, site->address, site->home, want, old, form->bytes);
	form->known = true;
	if (fit == RL_TOO_FAR && (site->kind == RL_POINTER_CALL || site->kind == RL_POINTER_TAIL))
		form->why = "out of reach from here: loads the pointer";
	else if (fit == RL_TOO_FAR)
		form->why = "out of reach from here: by its trampoline";
	else if (fit == RL_FITS_NOT)
		form->why = "this instruction can't express it: by its trampoline";
}

/* The key of a state of an option is on in that state alone. */
static void encode_branch(const struct model *model, const struct model_site *site, const struct model_choice *c, struct model_form *form)
{
	bool on = c->kind == MODEL_OPTION ? form->state == site->state : form->state == 1;
	bool jumps = on != ((site->flags & RELINK_BRANCH_ON_FALSE) != 0);
	struct rl_want want = { .what = jumps ? RL_JUMP : RL_FALL };

	encode(model, site, &want, form);
}

static void encode_call(const struct model *model, const struct model_site *site, const struct model_choice *c, struct model_form *form)
{
	struct rl_want want;
	const char *symbol;

	if (c->table != MODEL_NONE) {
		if (!member_want(model, c, &model->choices[c->table].states[form->state], &want, &symbol)) {
			form->why = "the backend is another module's, or filled at run time";
			return;
		}
	} else {
		want = c->states[form->state].want;
		symbol = c->states[form->state].symbol;
	}
	if (c->kind == MODEL_POINTER && want.what == RL_NOTHING) /* what happens then is the pointer's business */
		want.what = RL_HOME;
	if (symbol && (want.what == RL_FUNCTION || site->kind != RL_CALL) && want.what != RL_NOTHING) {
		form->why = arena_format(model->arena, "goes to %s of another module", symbol);
		return;
	}
	encode(model, site, &want, form);
}

/* ---- several ---- */

static bool place(const struct model *model, const uint8_t *code, size_t length, uint64_t from, uint64_t to, size_t room, uint8_t *out)
{
	if (!code || length > room || !model->port->move(code, length, from, to, out))
		return false;
	model->port->pad(out + length, room - length);
	return true;
}

static void encode_arm(const struct model *model, const struct model_site *site, const struct model_arm *arm, struct model_form *form)
{
	form->known = place(model, image_at(model->image, arm->code, arm->length), arm->length, arm->code, site->address, site->length, form->bytes);
	if (!form->known)
		form->why = "can't be moved here: its code is unknown, missing, too long, or out of reach";
}

static bool jump(const struct model *model, const struct model_site *site, uint64_t target, struct model_form *form)
{
	struct rl_want want = { .what = RL_FUNCTION, .address = target };
	uint8_t old[RL_SITE_MAX] = { 0 };
	size_t size = model->port->length[RL_TAIL];

	if (site->length < size || model->port->encode(RL_TAIL, site->address, site->address, &want, old, form->bytes) != RL_FITS)
		return false;
	model->port->pad(form->bytes + size, site->length - size);
	return true;
}

/* The address of a template's bytes for the registers of a use; 0: the use lacks an operand. */
static uint64_t instance_of(const uint8_t *use, const struct model_state *s)
{
	unsigned row = 0;

	for (unsigned i = 0; i < 2 && s->operand[i] != NO_OPERAND; i++) {
		unsigned r = s->operand[i] < 4 ? use[12 + s->operand[i]] : NO_OPERAND;

		if (r > 15)
			return 0;
		row = 16 * row + r;
	}
	return s->want.address + RELINK_TEMPLATE_SIZE * row;
}

static void encode_template(const struct model *model, const struct model_site *site, const struct model_state *s, const uint8_t *use,
			    struct model_form *form)
{
	uint64_t instance = s->symbol ? 0 : instance_of(use, s), copy;
	const uint8_t *code = image_at(model->image, instance, RELINK_TEMPLATE_SIZE);
	size_t length = code ? code[RELINK_TEMPLATE_SIZE - 1] : RELINK_TEMPLATE_SIZE;

	if (!instance || length >= RELINK_TEMPLATE_SIZE) {
		form->why = "the use lacks an operand, or there is no template for its registers";
	} else if (length <= site->length) {
		form->known = place(model, code, length, instance, site->address, site->length, form->bytes);
	} else if (image_field(model->image, site->ref + USE_COPY, &copy) && jump(model, site, copy, form)) {
		form->known = true;
		form->why = "longer than the site: jumps to a copy beside the function";
	}
	if (!form->known && !form->why)
		form->why = "can't be moved here";
}

bool model_copy_of(const struct model *model, const struct model_site *site, int state, uint64_t *address, uint8_t *bytes)
{
	const struct model_choice *c = choice_of(model, site);
	const struct model_state *s = c && state >= 0 && (size_t)state < c->state_count ? &c->states[state] : NULL;
	const uint8_t *use = image_at(model->image, site->ref, USE_SIZE), *code;
	uint64_t instance;

	if (site->kind != RL_SEQUENCE || !s || !s->is_template || s->symbol || !use)
		return false;
	if (!image_field(model->image, site->ref + USE_COPY, address))
		return false;
	instance = instance_of(use, s);
	code = instance ? image_at(model->image, instance, RELINK_TEMPLATE_SIZE) : NULL;
	if (!code || code[RELINK_TEMPLATE_SIZE - 1] <= site->length || code[RELINK_TEMPLATE_SIZE - 1] >= RELINK_TEMPLATE_SIZE)
		return false;
	return place(model, code, code[RELINK_TEMPLATE_SIZE - 1], instance, *address, RELINK_COPY_SIZE, bytes);
}

static void encode_sequence(const struct model *model, const struct model_site *site, const struct model_choice *c, struct model_form *form)
{
	const struct model_state *s = &c->states[form->state];
	const uint8_t *use = image_at(model->image, site->ref, USE_SIZE);
	const uint8_t *native = image_at(model->image, site->address, site->length);
	uint64_t thunk;

	if (!use || !native)
		return;
	if (s->want.what == RL_NOTHING) {
		memcpy(form->bytes, native, site->length);
		form->known = true;
	} else if (s->is_template) {
		encode_template(model, site, s, use, form);
	} else if (image_field(model->image, site->ref + 4, &thunk)) {
		form->known = jump(model, site, thunk, form);
		form->why = form->known ? "jumps to a thunk that calls the function" : "the thunk is out of reach";
	}
}

static void put_number(const struct model_site *site, uint64_t value, struct model_form *form)
{
	for (unsigned i = 0; i < site->length && i < 8; i++)
		form->bytes[i] = (uint8_t)(value >> 8 * i);
	form->known = site->length <= 8;
}

static void encode_number(const struct model_site *site, const struct model_choice *c, struct model_form *form)
{
	put_number(site, c->value, form);
	form->why = "or any other number";
}

static void encode_state(const struct model *model, const struct model_site *site, const struct model_choice *c, struct model_form *form)
{
	switch (site->kind) {
	case RL_BRANCH:
		encode_branch(model, site, c, form);
		break;
	case RL_LOCK:
		form->bytes[0] = model->port->lock[form->state == 1];
		form->known = true;
		break;
	case RL_IMMEDIATE:
		encode_number(site, c, form);
		break;
	case RL_SEQUENCE:
		encode_sequence(model, site, c, form);
		break;
	default:
		encode_call(model, site, c, form);
	}
}

void model_form_of(const struct model *model, const struct model_site *site, int state, uint64_t number, struct model_form *form)
{
	const struct model_choice *c = choice_of(model, site);

	*form = (struct model_form){ .state = state, .arm = MODEL_NONE, .length = site->length };
	if (c && site->kind == RL_IMMEDIATE)
		put_number(site, number, form);
	else if (c)
		encode_state(model, site, c, form);
}

void model_form_of_arm(const struct model *model, const struct model_site *site, const struct model_arm *arm, struct model_form *form)
{
	*form = (struct model_form){ .state = MODEL_NONE, .arm = 0, .length = site->length };
	encode_arm(model, site, arm, form);
}

/* What was decided in the file has one form. */
static bool is_baked(const struct model *model, const struct model_site *site)
{
	const struct model_choice *c = choice_of(model, site);

	return site->baked || (site->kind != RL_ALTERNATIVE && c && c->baked);
}

/* ---- all of a site ---- */

static int each_arm(const struct model *model, const struct model_site *site, form_visitor *visit, void *ctx)
{
	struct model_arm arms[MODEL_ARMS_MAX];
	size_t count = model_arms(model, site, arms);
	int r = 0;

	for (size_t i = 0; i < count && !r; i++) {
		struct model_form form = { .state = MODEL_NONE, .arm = (int)i };

		encode_arm(model, site, &arms[i], &form);
		r = show(model, site, &form, visit, ctx);
	}
	return r;
}

int model_forms(const struct model *model, const struct model_site *site, form_visitor *visit, void *ctx)
{
	const struct model_choice *c = choice_of(model, site), *states = c;
	struct model_form linked = { .state = MODEL_NONE, .arm = MODEL_NONE };
	int r = show(model, site, &linked, visit, ctx);

	if (r || site->kind >= RL_POINTER_USE || is_baked(model, site))
		return r;
	if (site->kind == RL_ALTERNATIVE)
		return each_arm(model, site, visit, ctx);
	if (c && c->table != MODEL_NONE)
		states = &model->choices[c->table];
	for (size_t i = 0; c && i < states->state_count && !r; i++) {
		struct model_form form = { .state = (int)i, .arm = MODEL_NONE };

		encode_state(model, site, c, &form);
		r = show(model, site, &form, visit, ctx);
	}
	return r;
}
