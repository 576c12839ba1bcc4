/* SPDX-License-Identifier: MIT */
/* code.c - see code.h. Where instructions begin follows from the start of the function, or from the site where that is not known. */
#include "code.h"

#include <stdlib.h>
#include <string.h>


#define SWEEP_MAX (1u << 22)
#define CONTEXT_MAX 64
#define INSN_MAX 15

static void *checked(void *p)
{
	if (!p) {
		complain(NULL, "out of memory");
		exit(STATUS_BAD);
	}
	return p;
}

/* ---- instructions ---- */

static void add_line(const struct model *model, struct lines_of_code *code, const uint8_t *bytes, size_t count, uint64_t address, size_t *length)
{
	char text[DISASM_TEXT];
	struct line *line;

	*length = disasm(model, bytes, count, address, text);
	if (!*length)
		*length = count ? 1 : 0;
	if (code->count == code->capacity) {
		code->capacity = code->capacity ? 2 * code->capacity : 8;
		code->lines = checked(realloc(code->lines, code->capacity * sizeof(*code->lines)));
	}
	line = &code->lines[code->count++];
	*line = (struct line){ .address = address, .length = (uint8_t)*length, .text = checked(strdup(text)) };
	memcpy(line->bytes, bytes, *length);
}

static void add_lines(const struct model *model, struct lines_of_code *code, const uint8_t *bytes, size_t count, uint64_t address)
{
	for (size_t at = 0, length; at < count; at += length)
		add_line(model, code, bytes + at, count - at, address + at, &length);
}

static void free_lines(struct lines_of_code *code)
{
	for (size_t i = 0; i < code->count; i++)
		free(code->lines[i].text);
	free(code->lines);
}

/* ---- boundaries ---- */

/* Without a symbol: numbers lie behind their opcode in an aligned word or two; everything else begins an instruction. */
static uint64_t guess(const struct model_site *s)
{
	if (s->kind != RL_IMMEDIATE)
		return s->address;
	return s->length == 4 ? s->address & ~(uint64_t)7 : s->address - 2;
}

struct search {
	const struct model_site *site;
	uint64_t last[CONTEXT_MAX]; /* starts of the instructions before, as a ring */
	size_t count;
	uint64_t start, reached; /* of the site's first instruction, 0: not found; behind the last one that was visited */
};

static bool look_at(uint64_t at, const struct rl_insn *insn, void *ctx)
{
	struct search *s = ctx;

	if (at > s->site->address)
		return false;
	if (at != s->reached) /* what lies between is no code */
		s->count = 0;
	s->reached = at + insn->length;
	if (s->reached > s->site->address)
		s->start = at;
	else
		s->last[s->count++ % CONTEXT_MAX] = at;
	return !s->start;
}

/* False: no function, or it is not sure that the site is code. */
static bool search(const struct model *model, struct search *s)
{
	const char *name;
	uint64_t offset, size;

	if (!model_symbol_at(model, s->site->address, &name, &offset, &size) || offset > SWEEP_MAX)
		return false;
	sweep(model, s->site->address - offset, size ? size : offset + 1, look_at, s);
	return s->start != 0;
}

static uint64_t stop_of(const struct model *model, uint64_t start, uint64_t least)
{
	uint64_t at = start;

	while (at < least && at - start < CODE_MAX - INSN_MAX) {
		struct rl_insn insn;
		size_t length = insn_at(model, at, &insn);

		if (!length)
			return least;
		at += length;
	}
	return at;
}

static void add_neighbours(struct model *model, const struct search *found, unsigned context, struct view *v)
{
	size_t n = found->count < context ? found->count : context;
	uint64_t from = n ? found->last[(found->count - n) % CONTEXT_MAX] : v->start;
	const uint8_t *bytes = model_bytes(model, from, (size_t)(v->start - from));
	uint64_t at = v->stop;

	if (bytes)
		add_lines(model, &v->before, bytes, (size_t)(v->start - from), from);
	for (unsigned i = 0; i < context; i++) {
		size_t room = model_bytes_from(model, at), length;

		if (!room || !model_is_code(model, at))
			break;
		add_line(model, &v->after, model_bytes(model, at, 0), room < INSN_MAX ? room : INSN_MAX, at, &length);
		at += length;
	}
}

/* ---- forms ---- */

struct adding {
	struct model *model;
	struct view *view;
	bool now;
};

static bool is_baked(const struct model_choice *c, const struct model_site *s)
{
	return s->baked || (s->kind != RL_ALTERNATIVE && c && c->baked);
}

char *form_label(const struct model *model, const struct model_site *s, const struct model_form *form)
{
	const struct model_choice *c = s->choice == MODEL_NONE ? NULL : &model->choices[s->choice];
	struct model_arm arms[MODEL_ARMS_MAX];

	if (form->arm != MODEL_NONE && (size_t)form->arm < model_arms(model, s, arms))
		return condition_of(model, &arms[form->arm]);
	if (form->state == MODEL_NONE || !c)
		return text_format(is_baked(c, s) ? "as baked" : "as linked");
	if (c->table != MODEL_NONE)
		c = &model->choices[c->table];
	if (c->kind == MODEL_IMMEDIATE || (size_t)form->state >= c->state_count)
		return text_format("%s", default_of(c));
	return text_format("%s", c->states[form->state].name);
}

static struct form *same_form(struct view *v, const struct model_form *form)
{
	for (size_t i = 0; i < v->count; i++)
		if (form->known && v->forms[i].known && form->length == v->forms[i].length &&
		    !memcmp(form->bytes, v->forms[i].bytes, form->length))
			return &v->forms[i];
	return NULL;
}

static void add_note(struct form *f, const char *label, const char *why)
{
	char *longer;

	if (!why)
		return;
	longer = f->note ? text_format("%s; %s: %s", f->note, label, why) : text_format("%s: %s", label, why);
	free(f->note);
	f->note = longer;
}

static void disassemble(struct model *model, const struct view *v, struct form *f)
{
	const uint8_t *linked = model_bytes(model, v->start, (size_t)(v->stop - v->start));
	uint8_t bytes[CODE_MAX];

	if (!linked || v->stop - v->start > sizeof(bytes) || !f->known)
		return;
	memcpy(bytes, linked, (size_t)(v->stop - v->start));
	memcpy(bytes + (v->site->address - v->start), f->bytes, f->length);
	add_lines(model, &f->code, bytes, (size_t)(v->stop - v->start), v->start);
}

static int add_form(const struct model_form *form, void *ctx)
{
	const struct adding *a = ctx;
	struct view *v = a->view;
	struct form *f = same_form(v, form);
	char *label = a->now ? text_format("%s", "now") : form_label(a->model, v->site, form), *longer;

	if (f) {
		longer = text_format("%s, %s", f->label, label);
		free(f->label);
		f->label = longer;
		add_note(f, label, form->why);
		free(label);
		return 0;
	}
	if (v->count == v->capacity) {
		v->capacity = v->capacity ? 2 * v->capacity : 4;
		v->forms = checked(realloc(v->forms, v->capacity * sizeof(*v->forms)));
	}
	f = &v->forms[v->count++];
	*f = (struct form){ .label = label, .known = form->known, .length = form->length };
	memcpy(f->bytes, form->bytes, form->length);
	add_note(f, label, form->why);
	disassemble(a->model, v, f);
	return 0;
}

/* First, what is there in the process; other forms of the same bytes join it. */
static void add_now(struct model *model, const struct model_site *site, struct view *v)
{
	struct adding adding = { model, v, true };
	struct model_form form = { .state = MODEL_NONE, .arm = MODEL_NONE, .length = site->length };

	form.known = model_now(model, site->address, form.bytes, site->length);
	if (model->process)
		add_form(&form, &adding);
}

void view_of(struct model *model, const struct model_site *site, unsigned context, struct view *v)
{
	struct search found = { .site = site };
	struct adding adding = { model, v, false };

	*v = (struct view){ .site = site };
	if (!search(model, &found)) {
		found.count = 0;
		found.start = guess(site);
	}
	v->start = found.start;
	v->stop = stop_of(model, v->start, site->address + site->length);
	add_neighbours(model, &found, context < CONTEXT_MAX ? context : CONTEXT_MAX, v);
	add_now(model, site, v);
	model_forms(model, site, add_form, &adding);
}

void view_free(struct view *v)
{
	free_lines(&v->before);
	free_lines(&v->after);
	for (size_t i = 0; i < v->count; i++) {
		free(v->forms[i].label);
		free(v->forms[i].note);
		free_lines(&v->forms[i].code);
	}
	free(v->forms);
}
