/* SPDX-License-Identifier: MIT */
/*
 * bake.c - decides choices in a copy of a file: code, slots, values and records are made what they are in one state.
 *
 * Records say so, and the runtime then finds that state as the default, writes nothing and refuses to change it. Bytes are those of
 * forms.c, which are the runtime's. Whoever can't be decided without knowing what the loader will do stays on its trampoline.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "change.h"
#include "layout.h"

struct baking {
	const struct model *model;
	const struct model_order *order;
	struct change change;
	struct model_tally *tallies;
	int *states;       /* by choice: what it is in the end, MODEL_NONE: it is not decided */
	uint64_t *numbers;
	bool *now;         /* by choice: decided by this call */
	char *why;
	size_t size;
};

__attribute__((format(printf, 2, 3))) static bool fail(struct baking *b, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(b->why, b->size, format, args);
	va_end(args);
	return false;
}

static const char *state_name(const struct model_choice *c, int state)
{
	return state >= 0 && (size_t)state < c->state_count ? c->states[state].name : "?";
}

/* ---- records ---- */

static bool set_flags(struct baking *b, uint64_t record, uint32_t set, uint32_t clear)
{
	const uint8_t *flags = change_at(&b->change, record + RECORD_FLAGS, 4);

	if (!flags)
		return fail(b, "the record at 0x%llx is not in the file", (unsigned long long)record);
	return change_32(&b->change, record + RECORD_FLAGS, (get32(flags) | set) & ~clear);
}

static bool no_bytes(struct baking *b, const struct model_choice *c)
{
	return fail(b, "%s has no bytes in the file (it lies in .bss): define it with the macros of this version", c->name);
}

/* ---- keys, options, numbers ---- */

static bool bake_value(struct baking *b, const struct model_choice *c, uint64_t object, bool on)
{
	const uint8_t *bytes = change_at(&b->change, object, 4);

	if (!bytes && !on && !c->element)
		return true; /* it is zero there */
	return change_32(&b->change, object, on) || no_bytes(b, c);
}

static bool bake_key(struct baking *b, const struct model_choice *c, int state)
{
	if (!c->object) /* built in: each lock prefix says it */
		return true;
	if (!bake_value(b, c, c->object, state == 1))
		return false;
	if (c->element)
		return change_32(&b->change, c->object + KEY_COUNT, (uint32_t)RELINK_KEY_BAKED) && set_flags(b, c->record, RELINK_BAKED, 0);
	return set_flags(b, c->record, RELINK_BAKED | (state == 1 ? RELINK_DEFAULT_TRUE : 0), state == 1 ? 0 : RELINK_DEFAULT_TRUE);
}

static bool bake_option(struct baking *b, const struct model_choice *c, int state)
{
	if (!change_32(&b->change, c->object, (uint32_t)state))
		return no_bytes(b, c);
	for (size_t i = 0; i < c->state_count; i++)
		if (!bake_value(b, c, c->object + OPTION_KEYS + i * KEY_SIZE, (int)i == state))
			return false;
	return set_flags(b, c->record, RELINK_BAKED, 0);
}

static bool bake_number(struct baking *b, const struct model_choice *c, uint64_t number)
{
	if (!change_64(&b->change, c->object, number) && number) /* it is zero there */
		return no_bytes(b, c);
	return set_flags(b, c->record, RELINK_BAKED, 0);
}

/* ---- calls, sequences, tables ---- */

/* The word that holds the target while the call is in that state, 0: none does. */
static uint64_t target_word(const struct model *model, const struct model_choice *c, int state)
{
	if (c->table == MODEL_NONE)
		return c->states[state].record ? c->states[state].record + VARIANT_FN : 0;
	return model->choices[c->table].states[state].want.address + c->offset;
}

static bool want_of(const struct model *model, const struct model_choice *c, int state, struct rl_want *want)
{
	const char *symbol;

	if (c->table != MODEL_NONE)
		return member_want(model, c, &model->choices[c->table].states[state], want, &symbol);
	*want = c->states[state].want;
	return true;
}

/* A call that does nothing leads to its own trampoline, which returns: no function that does nothing need be in this file. */
static bool bake_slot(struct baking *b, const struct model_choice *c, int state)
{
	uint64_t word = target_word(b->model, c, state);
	struct rl_want want;
	const char *why;

	if (!want_of(b->model, c, state, &want))
		return fail(b, "%s: what it would lead to is another module's, or filled in at run time", c->name);
	if (!c->slot)
		return fail(b, "%s: its slot is not in this file", c->name);
	if (want.what == RL_NOTHING && c->entry)
		why = change_lead(&b->change, c->slot, c->entry);
	else if (want.what == RL_NOTHING && c->table == MODEL_NONE)
		why = c->flags & RELINK_DEFAULT_NULL ? NULL : "a call without a trampoline can't be made to do nothing";
	else if (c->table != MODEL_NONE && !change_is_open(&b->change, word) && want.address == c->missing)
		why = change_lead(&b->change, c->slot, c->missing);
	else
		why = change_lead_like(&b->change, c->slot, word);
	return why ? fail(b, "%s: %s", c->name, why) : true;
}

static bool mark_variant(struct baking *b, const struct model_state *s)
{
	return !s->record || set_flags(b, s->record, RELINK_VARIANT_IS_BAKED, 0);
}

static bool bake_call(struct baking *b, const struct model_choice *c, int state)
{
	const struct model_state *s = &c->states[state];
	uint32_t null = s->record ? 0 : RELINK_DEFAULT_NULL;

	if (!set_flags(b, c->record, RELINK_BAKED | null, RELINK_DEFAULT_NULL & ~null) || !mark_variant(b, s))
		return false;
	/* Only a function is called through the slot of a sequence. */
	if (c->kind == MODEL_SEQUENCE && (s->is_template || !s->record))
		return true;
	return bake_slot(b, c, state);
}

static bool bake_table(struct baking *b, const struct model_choice *table, int state)
{
	const struct model *model = b->model;
	const char *why;

	if (table->states[state].symbol)
		return fail(b, "%s: the backend %s is another module's", table->name, table->states[state].name);
	if (!table->slot)
		return fail(b, "%s: its slot is not in this file", table->name);
	why = change_lead_like(&b->change, table->slot, table->states[state].record + VARIANT_FN);
	if (why)
		return fail(b, "%s: %s", table->name, why);
	if (!set_flags(b, table->record, RELINK_BAKED, 0) || !mark_variant(b, &table->states[state]))
		return false;
	for (size_t i = 0; i < model->choice_count; i++)
		if (model->choices[i].table == (int)(table - model->choices) &&
		    !(set_flags(b, model->choices[i].record, RELINK_BAKED, 0) && bake_slot(b, &model->choices[i], state)))
			return false;
	return true;
}

static bool is_ours(const struct model_choice *c)
{
	return !c->elsewhere && !c->anonymous;
}

static bool bake_choice(struct baking *b, size_t i)
{
	const struct model_choice *c = &b->model->choices[i];

	if (!is_ours(c))
		return true;
	switch (c->kind) {
	case MODEL_KEY:
		return bake_key(b, c, b->states[i]);
	case MODEL_OPTION:
		return bake_option(b, c, b->states[i]);
	case MODEL_IMMEDIATE:
		return bake_number(b, c, b->numbers[i]);
	case MODEL_OPS:
		return bake_table(b, c, b->states[i]);
	default:
		return c->table != MODEL_NONE || bake_call(b, c, b->states[i]);
	}
}

/* ---- sites ---- */

static bool write_site(struct baking *b, const struct model_site *s, const struct model_form *form)
{
	return change_bytes(&b->change, s->address, form->bytes, form->length) ||
	       fail(b, "the site at 0x%llx is not in the file", (unsigned long long)s->address);
}

static bool mark_patch(struct baking *b, const struct model_site *s, unsigned arm)
{
	uint8_t *flags = change_at(&b->change, s->record + PATCH_FLAGS, 2);

	if (!flags)
		return fail(b, "the record at 0x%llx is not in the file", (unsigned long long)s->record);
	flags[0] |= RELINK_PATCH_BAKED;
	flags[1] = (uint8_t)arm;
	return true;
}

/* Records of branches say what the code was compiled for: now it is for this. */
static bool mark_branch(struct baking *b, uint64_t record, bool on)
{
	const uint8_t *field = change_at(&b->change, record + BRANCH_REF, 4);
	uint64_t at = record + BRANCH_REF, ref;

	if (!field)
		return fail(b, "the record at 0x%llx is not in the file", (unsigned long long)record);
	ref = at + (uint64_t)(int64_t)(int32_t)get32(field);
	ref = on ? ref | RELINK_BRANCH_TRUE_KEY : ref & ~(uint64_t)RELINK_BRANCH_TRUE_KEY;
	return change_32(&b->change, at, (uint32_t)(ref - at));
}

static bool is_on(const struct baking *b, int choice, int key)
{
	return b->model->choices[choice].kind == MODEL_OPTION ? b->states[choice] == key : b->states[choice] == 1;
}

static bool bake_branch(struct baking *b, const struct model_site *s)
{
	struct model_form form;

	model_form_of(b->model, s, b->states[s->choice], 0, &form);
	return write_site(b, s, &form) && mark_branch(b, s->record, is_on(b, s->choice, s->state));
}

static bool is_in_place(const struct model_site *s, const struct rl_want *want)
{
	return want->what == RL_NOTHING || (s->kind == RL_CALL && want->what != RL_FUNCTION);
}

/* What another module may have a say in is found at run time, through the slot. */
static bool bake_leading(struct baking *b, const struct model_site *s)
{
	const struct model_choice *c = &b->model->choices[s->choice];
	int state = b->states[s->choice];
	struct model_tally *tally = &b->tallies[c->table == MODEL_NONE ? s->choice : c->table];
	const struct rl_want home = { .what = RL_HOME };
	struct model_form form;
	struct rl_want want;

	model_form_of(b->model, s, state, 0, &form);
	if (s->home != c->entry || !form.known || !want_of(b->model, c, state, &want) ||
	    (!is_in_place(s, &want) && change_is_open(&b->change, target_word(b->model, c, state))) ||
	    b->model->port->expresses(s->kind, s->address, s->home, &home, form.bytes)) {
		tally->left[s->kind]++;
		return true;
	}
	tally->written[s->kind]++;
	return write_site(b, s, &form);
}

static bool bake_sequence(struct baking *b, const struct model_site *s)
{
	const struct model_choice *c = &b->model->choices[s->choice];
	int state = b->states[s->choice];
	uint8_t copy[RELINK_COPY_SIZE];
	struct model_form form;
	uint64_t address;

	model_form_of(b->model, s, state, 0, &form);
	if (!form.known)
		return fail(b, "%s can't be %s at 0x%llx: %s", c->name, state_name(c, state), (unsigned long long)s->address,
			    form.why ? form.why : "not known");
	if (model_copy_of(b->model, s, state, &address, copy) && !change_bytes(&b->change, address, copy, sizeof(copy)))
		return fail(b, "the room at 0x%llx is not in the file", (unsigned long long)address);
	return write_site(b, s, &form) && mark_patch(b, s, 0);
}

static bool bake_number_site(struct baking *b, const struct model_site *s)
{
	struct model_form form;

	model_form_of(b->model, s, 0, b->numbers[s->choice], &form);
	/* Of another file's number the runtime finds that it is there already, if that file is the baked one. */
	return write_site(b, s, &form) && (!is_ours(&b->model->choices[s->choice]) || mark_patch(b, s, 0));
}

/* ---- alternatives ---- */

enum answer { NO, YES, OPEN };

static enum answer arm_holds(const struct baking *b, const struct model_arm *arm)
{
	uint64_t bit = UINT64_C(1) << (arm->feature & 63), has = b->order->cpu.has, lacks = b->order->cpu.lacks;

	if (arm->choice != MODEL_NONE) {
		const struct model_choice *c = &b->model->choices[arm->choice];

		if (c->kind != MODEL_KEY || !is_ours(c) || b->states[arm->choice] == MODEL_NONE)
			return OPEN;
		return (b->states[arm->choice] == 1) != arm->inverted ? YES : NO;
	}
	if (arm->feature == 0) /* no machine has it */
		return arm->inverted ? YES : NO;
	if (!((has | lacks) & bit) || arm->feature > 63)
		return OPEN;
	return ((has & bit) != 0) != arm->inverted ? YES : NO;
}

/* Did this call decide anything that the alternative depends on? */
static bool is_concerned(const struct baking *b, const struct model_arm *arms, size_t count)
{
	uint64_t known = b->order->cpu.has | b->order->cpu.lacks;

	for (size_t i = 0; i < count; i++)
		if (arms[i].choice != MODEL_NONE ? b->now[arms[i].choice] : known != 0)
			return true;
	return false;
}

static void tally_arms(struct baking *b, const struct model_arm *arms, size_t count, bool written)
{
	bool any = false;

	for (size_t i = 0; i < count; i++) {
		bool seen = arms[i].choice == MODEL_NONE || !b->now[arms[i].choice];

		for (size_t k = 0; k < i; k++)
			seen |= arms[k].choice == arms[i].choice;
		if (seen)
			continue;
		any = true;
		(written ? b->tallies[arms[i].choice].written : b->tallies[arms[i].choice].left)[RL_ALTERNATIVE]++;
	}
	if (!any)
		(written ? b->tallies[b->model->choice_count].written : b->tallies[b->model->choice_count].left)[RL_ALTERNATIVE]++;
}

/* The last arm that holds counts: it is known as soon as all behind it are known not to hold. */
static bool bake_alternative(struct baking *b, const struct model_site *s)
{
	struct model_arm arms[MODEL_ARMS_MAX];
	size_t count = model_arms(b->model, s, arms), n = count;
	enum answer answer = NO;
	struct model_form form;

	if (s->baked || !is_concerned(b, arms, count))
		return true;
	while (n && (answer = arm_holds(b, &arms[n - 1])) == NO)
		n--;
	tally_arms(b, arms, count, answer != OPEN);
	if (answer == OPEN)
		return true;
	if (!n)
		return mark_patch(b, s, 0);
	model_form_of_arm(b->model, s, &arms[n - 1], &form);
	if (!form.known)
		return fail(b, "the alternative at 0x%llx: arm %zu %s", (unsigned long long)s->address, n,
			    form.why ? form.why : "is not known");
	return write_site(b, s, &form) && mark_patch(b, s, (unsigned)n);
}

static bool bake_site(struct baking *b, const struct model_site *s)
{
	if (s->kind == RL_ALTERNATIVE)
		return bake_alternative(b, s);
	if (s->choice == MODEL_NONE || !b->now[s->choice] || s->use != MODEL_NONE) /* uses: see bake_uses */
		return true;
	if (s->kind >= RL_CALL && s->kind <= RL_TRAMPOLINE)
		return bake_leading(b, s);
	b->tallies[s->choice].written[s->kind]++;
	switch (s->kind) {
	case RL_BRANCH:
		return bake_branch(b, s);
	case RL_LOCK:
		return mark_patch(b, s, 0);
	case RL_IMMEDIATE:
		return bake_number_site(b, s);
	default:
		return bake_sequence(b, s);
	}
}

/* ---- uses: branches with a longer record ---- */

static bool bake_use(struct baking *b, uint64_t record)
{
	const struct model *model = b->model;
	const uint8_t *line = image_at(model->image, record + HERE_LINE, 4), *code;
	struct word key = { 0, NULL };
	uint64_t site, ref;
	uint32_t choice, index = 0;
	bool on, jumps, is_data;
	unsigned flags;

	if (!line || !image_field(model->image, record, &site) || !image_field(model->image, record + BRANCH_REF, &ref))
		return true;
	flags = ref & 7;
	ref &= ~(uint64_t)7;
	if (flags & RELINK_BRANCH_DIRECT)
		key.value = ref;
	else if (!image_word(model->image, ref, &key))
		return true;
	if (key.symbol || !map_get(&model->lookup->objects, key.value, &choice) || !b->now[choice])
		return true;
	map_get(&model->lookup->states, key.value, &index);
	on = is_on(b, (int)choice, (int)index);
	is_data = (get32(line) & RELINK_USE_DATA) != 0;
	jumps = on != ((flags & RELINK_BRANCH_ON_FALSE) != 0);
	code = image_at(model->image, site, 1);
	if (!code || (!is_data && (!model_is_code(model, site) || (*code != model->port->flip[0] && *code != model->port->flip[1]))))
		return fail(b, "the use at 0x%llx of %s is no branch", (unsigned long long)site, model->choices[choice].name);
	b->tallies[choice].uses++;
	return change_bytes(&b->change, site, is_data ? &(uint8_t){ on } : &model->port->flip[jumps], 1) && mark_branch(b, record, on);
}

static bool bake_uses(struct baking *b)
{
	const struct image *image = b->model->image;

	for (size_t i = 0; i < image->section_count; i++) {
		const struct model_section *s = &image->sections[i];

		if (strcmp(s->name, "relink_use_sites") != 0 || !image_at(image, s->address, s->size))
			continue;
		for (uint64_t at = 0; s->size - at >= HERE_SIZE; at += HERE_SIZE)
			if (!bake_use(b, s->address + at))
				return false;
	}
	return true;
}

/* ---- all together ---- */

static bool take_wish(struct baking *b, const struct model_wish *wish)
{
	const struct model_choice *c = &b->model->choices[wish->choice];
	bool other = c->kind == MODEL_IMMEDIATE ? c->value != wish->number : c->initial != wish->state;

	if (c->baked && other)
		return fail(b, "%s is baked into it as %s already; bake the file that it was made from", c->name,
			    state_name(c, c->initial));
	if (c->baked)
		return true;
	if (b->now[wish->choice] && (b->states[wish->choice] != wish->state || b->numbers[wish->choice] != wish->number))
		return fail(b, "%s is asked for in two states", c->name);
	if (!c->record && wish->state == 0)
		return fail(b, "%s can't be baked as off: the file could not be kept from running with a second thread", c->name);
	b->states[wish->choice] = wish->state;
	b->numbers[wish->choice] = wish->number;
	b->now[wish->choice] = true;
	for (size_t i = 0; i < b->model->choice_count; i++)
		if (b->model->choices[i].table == wish->choice) {
			b->states[i] = wish->state;
			b->now[i] = true;
		}
	return true;
}

/* ---- choices of other files ---- */

/* What a name that is imported means in the file that exports it; `key` is the place in an option. */
static const struct model_choice *definition(const struct model *with, const char *name, uint32_t *key)
{
	size_t length = strcspn(name, "+");
	uint64_t address, size, offset = name[length] ? strtoull(name + length + 1, NULL, 16) : 0;
	uint32_t found;

	*key = 0;
	if (!model_symbol_named(with, name, length, &address, &size) || !map_get(&with->lookup->objects, address + offset, &found))
		return NULL;
	map_get(&with->lookup->states, address + offset, key);
	return &with->choices[found];
}

static void follow(struct baking *b, size_t i, const struct model *with)
{
	const struct model_choice *c = &b->model->choices[i], *d;
	uint32_t key;

	if (is_ours(c) || (c->kind != MODEL_KEY && c->kind != MODEL_IMMEDIATE))
		return;
	if (c->anonymous && !change_is_copied(&b->change, c->object))
		return;
	d = definition(with, c->name, &key);
	if (!d || !d->baked || (d->kind == MODEL_IMMEDIATE) != (c->kind == MODEL_IMMEDIATE))
		return;
	b->now[i] = true;
	b->states[i] = d->kind == MODEL_OPTION ? d->initial == (int)key : d->initial;
	b->numbers[i] = d->value;
}

static void follow_all(struct baking *b)
{
	for (size_t i = 0; i < b->model->choice_count; i++)
		for (size_t k = 0; k < b->order->with_count && !b->now[i]; k++)
			follow(b, i, b->order->with[k]);
}

static bool begin(struct baking *b)
{
	const struct model *model = b->model;
	size_t n = model->choice_count + 1;

	b->tallies = calloc(n, sizeof(*b->tallies));
	b->states = calloc(n, sizeof(*b->states));
	b->numbers = calloc(n, sizeof(*b->numbers));
	b->now = calloc(n, sizeof(*b->now));
	if (!change_begin(&b->change, model) || !b->tallies || !b->states || !b->numbers || !b->now)
		return fail(b, "out of memory");
	for (size_t i = 0; i < model->choice_count; i++)
		b->states[i] = model->choices[i].baked ? model->choices[i].initial : MODEL_NONE;
	for (size_t i = 0; i < model->finding_count; i++)
		if (model_finding_is_error(model->findings[i].number))
			return fail(b, "its records and its code do not fit: relink check says where");
	return true;
}

static const uint8_t *baked_code(uint64_t place, void *ctx)
{
	const struct baking *b = ctx;

	return model_is_code(b->model, place) ? change_at(&b->change, place, 4) : NULL;
}

/* It is about the code as it is now. */
static bool renew_index(struct baking *b)
{
	const struct rl_index *index = &b->model->table->index;
	uint64_t digest;

	if (!b->model->has_index)
		return true;
	return rl_index_digest(index, baked_code, b, &digest) && change_64(&b->change, index->address + offsetof(struct relink_index, digest), digest);
}

static bool bake(struct baking *b)
{
	const struct model *model = b->model;
	bool ok = begin(b);

	for (size_t i = 0; i < b->order->wish_count && ok; i++)
		ok = take_wish(b, &b->order->wishes[i]);
	if (ok)
		follow_all(b);
	for (size_t i = 0; i < model->choice_count && ok; i++)
		ok = !b->now[i] || bake_choice(b, i);
	for (size_t i = 0; i < model->site_count && ok; i++)
		ok = bake_site(b, &model->sites[i]);
	return ok && bake_uses(b) && renew_index(b);
}

bool model_bake(const struct model *model, const struct model_order *order, struct model_baking *baking, char *why, size_t size)
{
	struct baking b = { .model = model, .order = order, .why = why, .size = size };
	bool ok = bake(&b);

	*baking = (struct model_baking){ .size = model->image->size };
	if (ok) {
		baking->bytes = b.change.bytes;
		baking->tallies = b.tallies;
		baking->states = b.states;
		b.change.bytes = NULL;
		b.tallies = NULL;
		b.states = NULL;
	}
	change_end(&b.change);
	free(b.tallies);
	free(b.states);
	free(b.numbers);
	free(b.now);
	return ok;
}
