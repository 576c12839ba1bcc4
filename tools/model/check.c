/* SPDX-License-Identifier: MIT */
/*
 * check.c - compares the sites that records name with the code that is there.
 *
 * Nothing is said about sites in what is not surely code, see sweep.c.
 */
#include <stdlib.h>
#include <string.h>

#include "internal.h"
#include "layout.h"

static bool is_wide(const struct model_site *s)
{
	return s->kind == RL_ALTERNATIVE || s->kind == RL_SEQUENCE;
}

static bool is_call(const struct model_site *s)
{
	return s->kind == RL_CALL || s->kind == RL_TAIL || s->kind == RL_JCC || s->kind == RL_POINTER_CALL || s->kind == RL_POINTER_TAIL;
}

static const char *name_of(const struct model *model, const struct model_site *s)
{
	return s->choice == MODEL_NONE ? "processor features" : model->choices[s->choice].name;
}

#define SITE_FORMAT "%s 0x%llx of %s"
#define SITE(model, s) model_site_kind_name((s)->kind), (unsigned long long)(s)->address, name_of(model, s)

/* ---- one site ---- */

/* The instruction that relink's macros put there, at its default. */
static void check_branch(struct model *model, const struct model_site *s)
{
	const uint8_t *bytes = image_at(model->image, s->address, s->length);
	bool born = (s->flags & RELINK_BRANCH_TRUE_KEY) != 0, jumps = born != ((s->flags & RELINK_BRANCH_ON_FALSE) != 0);
	const struct model_choice *c = &model->choices[s->choice];
	uint64_t target;

	if (!bytes || (bytes[0] != model->port->flip[0] && bytes[0] != model->port->flip[1])) {
		find(model, FOUND_BYTES, s->address, SITE_FORMAT ": there is no instruction that a branch has", SITE(model, s));
		return;
	}
	if (bytes[0] != model->port->flip[jumps])
		find(model, FOUND_BORN, s->address, SITE_FORMAT ": does not express the default that it was compiled for", SITE(model, s));
	if (!c->elsewhere && !c->anonymous && born != (c->kind == MODEL_OPTION ? s->state == c->initial : c->initial == 1))
		find(model, FOUND_BORN, s->address, SITE_FORMAT ": was compiled for another default than the choice has", SITE(model, s));
	target = s->address + 5 + (uint64_t)(int64_t)(int32_t)get32(bytes + 1);
	if (!model_is_code(model, target))
		find(model, FOUND_RANGE, s->address, SITE_FORMAT ": would jump to 0x%llx, which is no code", SITE(model, s), (unsigned long long)target);
}

static void check_lock(struct model *model, const struct model_site *s)
{
	const uint8_t *bytes = image_at(model->image, s->address, 1);

	if (!bytes || bytes[0] != model->port->lock[1])
		find(model, FOUND_BYTES, s->address, SITE_FORMAT ": there is no lock prefix", SITE(model, s));
}

static void check_number(struct model *model, const struct model_site *s)
{
	const struct model_choice *c = &model->choices[s->choice];
	const uint8_t *bytes = image_at(model->image, s->address, s->length);
	uint64_t value = 0;

	if (!bytes || (s->length != 4 && s->length != 8)) {
		find(model, FOUND_SITE_KIND, s->record, SITE_FORMAT ": a number of %u bytes in code", SITE(model, s), s->length);
		return;
	}
	for (unsigned i = 0; i < s->length; i++)
		value |= (uint64_t)bytes[i] << 8 * i;
	if (!c->elsewhere && !c->anonymous && value != c->value)
		find(model, FOUND_BORN, s->address, SITE_FORMAT ": the code has another number than the choice", SITE(model, s));
	if (s->address >> 3 != (s->address + s->length - 1) >> 3)
		find(model, FOUND_NUMBER_ALIGN, s->address, SITE_FORMAT ": does not lie in one aligned word, and can't change while threads run",
		     SITE(model, s));
}

static void check_trampoline(struct model *model, const struct model_site *s)
{
	const uint8_t *bytes = image_at(model->image, s->address, s->length);

	if (bytes && bytes[0] != model->port->through && !model->choices[s->choice].baked)
		find(model, FOUND_BORN, s->address, SITE_FORMAT ": does not go through its slot", SITE(model, s));
}

/* What a site of a baked choice is to be; false: nobody knows, or there is nothing to compare. */
static bool baked_form(const struct model *model, const struct model_site *s, struct model_form *form)
{
	const struct model_choice *c = s->choice == MODEL_NONE ? NULL : &model->choices[s->choice], *decides = c;
	struct model_arm arms[MODEL_ARMS_MAX];
	size_t count;

	if (s->kind == RL_ALTERNATIVE) {
		count = s->baked ? model_arms(model, s, arms) : 0;
		if (!s->arm || s->arm > count)
			return false;
		model_form_of_arm(model, s, &arms[s->arm - 1], form);
		return form->known;
	}
	if (c && c->table != MODEL_NONE)
		decides = &model->choices[c->table];
	if (!c || !c->baked || decides->initial == MODEL_NONE || (s->kind == RL_SEQUENCE && !s->baked))
		return false;
	model_form_of(model, s, decides->initial, c->value, form);
	return form->known;
}

static void check_baked(struct model *model, const struct model_site *s)
{
	const struct rl_want home = { .what = RL_HOME };
	const uint8_t *bytes = image_at(model->image, s->address, s->length);
	struct model_form form;

	if (!bytes || !baked_form(model, s, &form) || !memcmp(form.bytes, bytes, s->length))
		return;
	/* Calls may have stayed on their trampolines. */
	if ((is_call(s) || s->kind == RL_TRAMPOLINE) && model->port->expresses(s->kind, s->address, s->home, &home, bytes))
		return;
	find(model, FOUND_BORN, s->address, SITE_FORMAT ": does not express what was baked into the file", SITE(model, s));
}

struct place {
	struct model *model;
	const struct model_site *site;
};

static int check_form(const struct model_form *form, void *ctx)
{
	const struct place *p = ctx;

	if (!form->known && form->why && is_wide(p->site))
		find(p->model, FOUND_ARM_CODE, p->site->address, SITE_FORMAT ": %s %d %s", SITE(p->model, p->site),
		     form->arm == MODEL_NONE ? "state" : "arm", form->arm == MODEL_NONE ? form->state : form->arm + 1, form->why);
	return 0;
}

static void check_use(struct model *model, const struct model_site *s)
{
	const uint8_t *use = image_at(model->image, s->ref, USE_SIZE);
	uint64_t thunk, copy;

	if (!use || !image_field(model->image, s->ref + 4, &thunk) || !image_field(model->image, s->ref + 8, &copy) ||
	    !model_is_code(model, thunk) || !model_is_code(model, copy) || !image_at(model->image, copy, RELINK_COPY_SIZE)) {
		find(model, FOUND_SITE_USE, s->record, SITE_FORMAT ": its thunk or its room is not in code", SITE(model, s));
		return;
	}
	if (s->length < model->port->length[RL_TAIL])
		find(model, FOUND_SITE_KIND, s->record, SITE_FORMAT ": %u bytes, a jump does not fit", SITE(model, s), s->length);
	for (unsigned i = 0; i < 4; i++)
		if (use[12 + i] != 255 && (use[12 + i] > 15 || use[12 + i] == 4))
			find(model, FOUND_OPERAND, s->record, SITE_FORMAT ": operand %u is in register %u, which is none that can be", SITE(model, s), i,
			     use[12 + i]);
}

static void check_site(struct model *model, const struct model_site *s)
{
	struct place place = { model, s };

	if (s->kind == RL_BRANCH)
		check_branch(model, s);
	else if (s->kind == RL_LOCK)
		check_lock(model, s);
	else if (s->kind == RL_IMMEDIATE)
		check_number(model, s);
	else if (s->kind == RL_TRAMPOLINE)
		check_trampoline(model, s);
	else if (s->kind == RL_SEQUENCE)
		check_use(model, s);
	if (is_wide(s))
		model_forms(model, s, check_form, &place);
	check_baked(model, s);
}

static void check_choice(struct model *model, const struct model_choice *c)
{
	if (c->baked && c->table == MODEL_NONE && c->initial == MODEL_NONE)
		find(model, FOUND_RECORD_STATES, c->record, "%s: it is baked, and no state says that it is the one", c->name);
}

/* Where code is not rewritten, a use is a byte that starts as its key does. */
static void check_uses(struct model *model)
{
	for (size_t i = 0; i < model->use_count; i++) {
		const struct model_use *u = &model->uses[i];
		const struct model_choice *c = &model->choices[u->choice];
		const uint8_t *byte = image_at(model->image, u->address, 1);

		if (u->data && (byte ? *byte : 0) != u->on)
			find(model, FOUND_BORN, u->record, "use of %s at %s:%u: its byte does not have the default that it was compiled for",
			     c->name, u->file, u->line);
		if (u->data && !c->elsewhere && !c->anonymous && u->on != (c->initial == 1))
			find(model, FOUND_BORN, u->record, "use of %s at %s:%u: was compiled for another default than the key has", c->name,
			     u->file, u->line);
	}
}

/* ---- sites among each other ---- */

static void check_overlaps(struct model *model)
{
	const struct model_site *last = NULL;

	for (size_t i = 0; i < model->site_count; i++) {
		const struct model_site *s = &model->sites[i];

		if (last && s->length && s->address < last->address + last->length)
			find(model, FOUND_OVERLAP, s->address, SITE_FORMAT ": shares bytes with the " SITE_FORMAT, SITE(model, s), SITE(model, last));
		if (!last || s->address + s->length > last->address + last->length)
			last = s;
	}
}

/* ---- sites among instructions ---- */

/* What may stand in front of a call's opcode and belong to its instruction. */
static bool are_prefixes(const struct model *model, uint64_t from, uint64_t to)
{
	const uint8_t *bytes = image_at(model->image, from, to - from);

	for (uint64_t i = 0; bytes && i < to - from; i++)
		if (!strchr("\x67\x66\xf2\xf3\x3e\x2e", bytes[i]) || !bytes[i])
			return false;
	return bytes != NULL;
}

/* A jump or a trampoline to nothing, which was baked, is a return: the rest of the site is never reached. */
static bool returns(const struct model *model, const struct model_site *s)
{
	const struct rl_want nothing = { .what = RL_NOTHING };
	const uint8_t *bytes = image_at(model->image, s->address, s->length);

	return bytes && (s->kind == RL_TAIL || s->kind == RL_TRAMPOLINE) && model->choices[s->choice].baked &&
	       model->port->expresses(s->kind, s->address, s->home, &nothing, bytes);
}

/* Is the site what it should be, if its first byte lies in the instruction from `start` to `stop`? */
static bool is_at_boundary(const struct model *model, const struct model_site *s, uint64_t start, uint64_t stop)
{
	uint64_t end = s->address + s->length;

	if (s->kind == RL_IMMEDIATE)
		return start < s->address && stop == end;
	if (s->kind == RL_LOCK)
		return start == s->address;
	if (returns(model, s))
		return start <= s->address && stop == s->address + 1;
	if (is_call(s))
		return stop == end && are_prefixes(model, start, s->address);
	return start == s->address && (is_wide(s) || stop == end);
}

static bool is_inside(const struct model_site *s, uint64_t target)
{
	return target < s->address + s->length && (target > s->address || (s->kind == RL_IMMEDIATE && target == s->address));
}

static void check_jump(struct model *model, uint64_t address, const struct rl_insn *insn)
{
	uint64_t target = insn_target(model, address, insn);
	const struct model_site *s = target ? model_site_at(model, target) : NULL;

	if (s && is_inside(s, target) && !(address >= s->address && address < s->address + s->length))
		find(model, FOUND_JUMP_INTO, address, "code jumps to 0x%llx, into the middle of the " SITE_FORMAT, (unsigned long long)target,
		     SITE(model, s));
}

/* The first site that begins at or behind an address. */
static size_t first_site(const struct model *model, uint64_t address)
{
	size_t low = 0, high = model->site_count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (model->sites[middle].address < address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct walk {
	struct model *model;
	size_t next;   /* the first site that was not looked at */
	uint64_t wide; /* end of the last site of several instructions */
};

/* Sites in front of this instruction lie in what is not surely code, and are left alone. */
static bool check_insn(uint64_t at, const struct rl_insn *insn, void *ctx)
{
	struct walk *w = ctx;
	struct model *model = w->model;
	uint64_t stop = at + insn->length;

	check_jump(model, at, insn);
	if (w->wide > at && w->wide < stop)
		find(model, FOUND_BOUNDARY, at, "the site that ends at 0x%llx ends in the middle of an instruction", (unsigned long long)w->wide);
	for (; w->next < model->site_count && model->sites[w->next].address < stop; w->next++) {
		const struct model_site *s = &model->sites[w->next];

		if (s->address < at)
			continue;
		if (s->length && !is_at_boundary(model, s, at, stop))
			find(model, FOUND_BOUNDARY, s->address, SITE_FORMAT ": is not where the instruction at 0x%llx has it", SITE(model, s),
			     (unsigned long long)at);
		if (is_wide(s))
			w->wide = s->address + s->length;
	}
	return true;
}

static void check_function(struct model *model, uint64_t start, uint64_t size)
{
	struct walk w = { model, first_site(model, start), 0 };

	sweep(model, start, size, check_insn, &w);
}

void model_check(struct model *model)
{
	uint64_t checked = 0, start, size;

	if (model->is_object)
		return;
	for (size_t i = 0; i < model->choice_count; i++)
		check_choice(model, &model->choices[i]);
	for (size_t i = 0; i < model->site_count; i++)
		check_site(model, &model->sites[i]);
	check_uses(model);
	pointers_check(model);
	check_overlaps(model);
	for (size_t i = 0; each_function(model, &i, &start, &size);) {
		if (start < checked) /* another name, or a label inside */
			continue;
		check_function(model, start, size);
		checked = start + size;
	}
}
