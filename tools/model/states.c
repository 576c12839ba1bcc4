/* SPDX-License-Identifier: MIT */
/* states.c - what choices can be: variants, backends of tables, what they are for, and who has a say. */
#include <stdio.h>
#include <string.h>

#include "internal.h"
#include "layout.h"

#define MEMBERS_MAX 4096
#define WHEN_MAX 32

static const char *string_at(const struct model *model, uint64_t field)
{
	struct word word;

	return image_word(model->image, field, &word) && !word.symbol && word.value ? image_string(model->image, word.value) : NULL;
}

static unsigned kind_of(const uint8_t *record)
{
	return record[2] | (unsigned)record[3] << 8;
}

/* ---- tables ---- */

static void add_members(struct model *model, int table, uint64_t record, uint64_t op, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++, op += OP_SIZE) {
		struct word call, missing, offset;
		uint32_t member;

		if (!image_word(model->image, op + OP_CALL, &call) || !image_word(model->image, op + OP_MISSING, &missing) ||
		    !image_word(model->image, op + OP_OFFSET, &offset) || call.symbol ||
		    !map_get(&model->lookup->objects, call.value, &member) || !(model->choices[member].flags & RELINK_OWNED)) {
			find(model, FOUND_RECORD_TABLE, record, "%s: its members are not what they should be", model->choices[table].name);
			return;
		}
		model->choices[member].table = table;
		model->choices[member].offset = offset.value;
		model->choices[member].missing = missing.symbol ? 0 : missing.value;
	}
}

static void table_record(struct model *model, uint64_t record, const uint8_t *bytes, size_t size)
{
	const char *name = size >= OPS_SIZE ? string_at(model, record + OPS_NAME) : NULL, *doc;
	struct word list, ops, op, count, slot;
	int table;

	if (!name || !image_word(model->image, record + OPS_LIST, &list) || list.symbol || !list.value ||
	    !image_word(model->image, list.value + LIST_OPS, &ops) || !image_word(model->image, list.value + LIST_OP, &op) ||
	    !image_word(model->image, list.value + LIST_COUNT, &count) || ops.symbol || op.symbol || count.value > MEMBERS_MAX) {
		find(model, FOUND_RECORD_TABLE, record, "an operations table that can't be read");
		return;
	}
	table = add_choice(model, MODEL_OPS, name);
	if (table == MODEL_NONE)
		return;
	doc = string_at(model, record + OPS_DOC);
	model->choices[table].doc = doc ? doc : "";
	model->choices[table].flags = get32(bytes + 4);
	model->choices[table].baked = (get32(bytes + 4) & RELINK_BAKED) != 0;
	model->choices[table].record = record;
	model->choices[table].object = ops.value;
	if (image_word(model->image, ops.value + CALL_SLOT, &slot) && !slot.symbol)
		model->choices[table].slot = slot.value;
	map_put(&model->lookup->objects, ops.value, (uint32_t)table);
	add_members(model, table, record, op.value, count.value);
}

static enum rl_what what_of_mark(uint64_t what)
{
	switch (what) {
	case RELINK_OP_MARK_NOP:
		return RL_NOTHING;
	case RELINK_OP_MARK_IDENTITY:
		return RL_IDENTITY;
	case RELINK_OP_MARK_CONST:
		return RL_CONSTANT;
	default:
		return RL_FUNCTION;
	}
}

static uint64_t key_of_function(const struct word *fn)
{
	return fn->symbol ? hash_of(fn->symbol, strlen(fn->symbol)) : fn->value;
}

static void mark_record(struct model *model, uint64_t record, const uint8_t *bytes, size_t size)
{
	struct lookup *lookup = model->lookup;
	struct mark mark = { 0 };
	struct word fn;

	if (size < MARK_SIZE || !image_word(model->image, record + MARK_FN, &fn))
		return;
	mark.symbol = fn.symbol;
	mark.address = fn.value;
	mark.want.what = what_of_mark(get64(bytes + MARK_WHAT));
	mark.want.narrow = (get32(bytes + 4) & RELINK_VARIANT_NARROW) != 0;
	mark.want.address = fn.value;
	mark.want.constant = get64(bytes + MARK_CONSTANT);
	map_put(&lookup->marks, key_of_function(&fn), (uint32_t)lookup->mark_count);
	lookup->mark = grown(lookup->mark, lookup->mark_count, &lookup->mark_capacity, sizeof(*lookup->mark));
	lookup->mark[lookup->mark_count++] = mark;
}

bool member_want(const struct model *model, const struct model_choice *member, const struct model_state *backend, struct rl_want *want,
		 const char **symbol)
{
	struct word fn;
	uint32_t mark;

	*symbol = NULL;
	if (backend->symbol || !image_word(model->image, backend->want.address + member->offset, &fn))
		return false;
	*want = (struct rl_want){ RL_FUNCTION, false, fn.value, 0 };
	*symbol = fn.symbol;
	if (map_get(&model->lookup->marks, key_of_function(&fn), &mark)) {
		*want = model->lookup->mark[mark].want;
		*symbol = model->lookup->mark[mark].symbol;
	} else if (!fn.symbol && !fn.value) {
		want->address = member->missing;
		return member->missing != 0;
	}
	return true;
}

/* ---- variants ---- */

static const char *name_of_value(struct model *model, const struct model_choice *c, uint64_t value)
{
	if (c->kind == MODEL_KEY)
		return value ? "on" : "off";
	if (c->kind == MODEL_OPTION && value < c->state_count)
		return c->states[value].name;
	return arena_format(model->arena, "%llu", (unsigned long long)value);
}

/* "trace=on idle=poll" */
static const char *read_when(struct model *model, uint64_t list)
{
	static const uint8_t kinds[] = { [RELINK_WHEN_KIND_KEY] = MODEL_KEY, [RELINK_WHEN_KIND_OPTION] = MODEL_OPTION,
					 [RELINK_WHEN_KIND_IMMEDIATE] = MODEL_IMMEDIATE };
	char text[400];
	size_t used = 0;

	for (unsigned i = 0; i < WHEN_MAX; i++, list += WHEN_SIZE) {
		const uint8_t *bytes = image_at(model->image, list, WHEN_SIZE);
		uint32_t kind = bytes ? get32(bytes) : 0;
		struct word object;
		int choice, length;

		if (!kind || kind >= sizeof(kinds) || !image_word(model->image, list + WHEN_OBJECT, &object))
			break;
		choice = choice_behind(model, &object, kinds[kind], NULL);
		if (choice == MODEL_NONE)
			break;
		length = snprintf(text + used, sizeof(text) - used, "%s%s=%s", used ? " " : "", model->choices[choice].name,
				  name_of_value(model, &model->choices[choice], get64(bytes + WHEN_VALUE)));
		if (length < 0 || (size_t)length >= sizeof(text) - used)
			break;
		used += (size_t)length;
	}
	return used ? arena_copy(model->arena, text, used) : NULL;
}

/* The call, sequence or table that a variant is for. */
static int variant_choice(struct model *model, uint64_t record)
{
	struct word call;

	if (!image_word(model->image, record + VARIANT_CALL, &call))
		return MODEL_NONE;
	if (call.symbol && !strncmp(call.symbol, "relink_ops_", 11))
		return choice_behind(model, &call, MODEL_OPS, NULL);
	return choice_behind(model, &call, call.symbol && strncmp(call.symbol, "relink_call_", 12) ? MODEL_SEQUENCE : MODEL_CALL, NULL);
}

/* The function that the slot leads to at link time is the default; a variant for certain states can't be. */
static bool is_default(const struct model *model, const struct model_choice *c, const struct word *fn, bool always, uint32_t flags)
{
	struct word bound;

	if (c->baked)
		return c->initial == MODEL_NONE && (flags & RELINK_VARIANT_IS_BAKED);
	return c->initial == MODEL_NONE && always && !(c->flags & RELINK_DEFAULT_NULL) && c->slot &&
	       image_word(model->image, c->slot, &bound) && bound.value == fn->value && (bound.symbol != NULL) == (fn->symbol != NULL) &&
	       (!fn->symbol || !strcmp(bound.symbol, fn->symbol));
}

static void fill_want(struct model_state *s, const uint8_t *bytes, const struct word *fn)
{
	uint32_t flags = get32(bytes + 4);

	s->symbol = fn->symbol;
	s->want = (struct rl_want){ RL_FUNCTION, (flags & RELINK_VARIANT_NARROW) != 0, fn->value, get64(bytes + VARIANT_CONSTANT) };
	if (flags & RELINK_VARIANT_IS_CONST)
		s->want.what = RL_CONSTANT;
	s->is_template = (flags & RELINK_VARIANT_IS_TEMPLATE) != 0;
	s->operand[0] = (uint8_t)s->want.constant;
	s->operand[1] = (uint8_t)(s->want.constant >> 8);
	s->needs = get64(bytes + VARIANT_NEEDS);
	s->rank = (int64_t)get64(bytes + VARIANT_RANK);
}

static void variant_record(struct model *model, uint64_t record, const uint8_t *bytes, size_t size)
{
	const char *name = size >= VARIANT_SIZE ? string_at(model, record + VARIANT_NAME) : NULL;
	int choice = name ? variant_choice(model, record) : MODEL_NONE;
	struct word fn, condition, when = { 0, NULL };
	struct model_state *s;

	if (choice == MODEL_NONE || !image_word(model->image, record + VARIANT_FN, &fn) ||
	    !image_word(model->image, record + VARIANT_CONDITION, &condition)) {
		find(model, FOUND_RECORD_STATES, record, "%s: a variant of nothing that is known", name ? name : "(no name)");
		return;
	}
	if (model->choices[choice].flags & RELINK_OWNED)
		return;
	if (size > VARIANT_WHEN)
		image_word(model->image, record + VARIANT_WHEN, &when);
	s = add_state(model, choice, name);
	if (!s) {
		find(model, FOUND_RECORD_STATES, record, "%s: more variants than anybody could have meant", model->choices[choice].name);
		return;
	}
	fill_want(s, bytes, &fn);
	s->record = record;
	s->condition = condition.value || condition.symbol;
	s->when = when.value && !when.symbol ? read_when(model, when.value) : NULL;
	if (is_default(model, &model->choices[choice], &fn, !when.value, get32(bytes + 4)))
		model->choices[choice].initial = (int)(s - model->choices[choice].states);
}

/* NULL is a state of its own where it is allowed. */
static void add_null(struct model *model, int choice)
{
	struct model_choice *c = &model->choices[choice];
	struct model_state *s;

	if ((c->kind != MODEL_CALL && c->kind != MODEL_SEQUENCE) || !(c->flags & RELINK_NULLABLE) || c->flags & RELINK_OWNED)
		return;
	s = add_state(model, choice, c->flags & RELINK_SEQUENCE_FLAG ? "native" : "null");
	s->want.what = RL_NOTHING;
	if (c->flags & RELINK_DEFAULT_NULL)
		c->initial = 0;
	else
		s->rank = -1;
}

static void choose_record(struct model *model, uint64_t record, size_t size)
{
	const char *name = size >= CHOOSE_SIZE ? string_at(model, record + CHOOSE_CHOICE) : NULL, *function;
	uint64_t offset, length;
	struct word fn;

	if (!name || !image_word(model->image, record + CHOOSE_FN, &fn))
		return;
	if (fn.symbol)
		function = fn.symbol;
	else if (!model_symbol_at(model, fn.value, &function, &offset, &length))
		function = arena_format(model->arena, "0x%llx", (unsigned long long)fn.value);
	for (size_t i = 0; i < model->choice_count; i++)
		if (!model->choices[i].elsewhere && !strcmp(model->choices[i].name, name))
			model->choices[i].chosen_by = function;
}

static void first_pass(struct model *model, uint64_t record, const uint8_t *bytes, size_t size)
{
	if (kind_of(bytes) == RELINK_RECORD_OPS)
		table_record(model, record, bytes, size);
	else if (kind_of(bytes) == RELINK_RECORD_OP_MARK)
		mark_record(model, record, bytes, size);
}

static void second_pass(struct model *model, uint64_t record, const uint8_t *bytes, size_t size)
{
	if (kind_of(bytes) == RELINK_RECORD_VARIANT)
		variant_record(model, record, bytes, size);
	else if (kind_of(bytes) == RELINK_RECORD_CHOOSE)
		choose_record(model, record, size);
}

void states_read(struct model *model)
{
	each_record(model, first_pass, false);
	for (size_t i = 0; i < model->choice_count; i++)
		add_null(model, (int)i);
	each_record(model, second_pass, false);
}
