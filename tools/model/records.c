/* SPDX-License-Identifier: MIT */
/* records.c - from a file's records to choices, by the rules of the runtime's registry. */
#include <stdio.h>
#include <string.h>

#include "internal.h"
#include "layout.h"

#define CHOICES_MAX 262144
#define STATES_MAX 4096

/* ---- choices ---- */

int add_choice(struct model *model, enum model_choice_kind kind, const char *name)
{
	struct model_choice *c;

	if (model->choice_count >= CHOICES_MAX)
		return MODEL_NONE;
	model->choices = grown(model->choices, model->choice_count, &model->choice_capacity, sizeof(*model->choices));
	c = &model->choices[model->choice_count];
	*c = (struct model_choice){ .kind = kind, .name = name, .doc = "", .initial = MODEL_NONE, .table = MODEL_NONE };
	return (int)model->choice_count++;
}

struct model_state *add_state(struct model *model, int choice, const char *name)
{
	struct model_choice *c = &model->choices[choice];

	if (c->state_count >= STATES_MAX)
		return NULL;
	c->states = grown(c->states, c->state_count, &c->state_capacity, sizeof(*c->states));
	c->states[c->state_count] = (struct model_state){ .name = name };
	return &c->states[c->state_count++];
}

static void add_key_states(struct model *model, int choice, bool on)
{
	add_state(model, choice, "off");
	add_state(model, choice, "on");
	model->choices[choice].initial = on;
}

/* ---- choices behind addresses ---- */

int choice_outside(struct model *model, enum model_choice_kind kind, const char *name, size_t length)
{
	uint64_t hash = hash_of(name, length);
	uint32_t found;
	int choice;

	if (map_get(&model->lookup->outside, hash, &found))
		return (int)found;
	choice = add_choice(model, kind, arena_copy(model->arena, name, length));
	if (choice == MODEL_NONE)
		return MODEL_NONE;
	model->choices[choice].elsewhere = true;
	if (kind == MODEL_KEY)
		add_key_states(model, choice, false);
	model->choices[choice].initial = MODEL_NONE;
	map_put(&model->lookup->outside, hash, (uint32_t)choice);
	return choice;
}

/* The names of objects are those of choices, behind what macros put in front. */
static const char *without_prefix(const char *name)
{
	static const char *const prefixes[] = { "relink_call_", "relink_ops_" };

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++)
		if (!strncmp(name, prefixes[i], strlen(prefixes[i])))
			return name + strlen(prefixes[i]);
	return name;
}

void name_outside(const struct word *word, char name[OUTSIDE_NAME])
{
	if (word->value)
		snprintf(name, OUTSIDE_NAME, "%s+0x%llx", without_prefix(word->symbol), (unsigned long long)word->value);
	else
		snprintf(name, OUTSIDE_NAME, "%s", without_prefix(word->symbol));
}

static int outside_by_symbol(struct model *model, const struct word *word, enum model_choice_kind kind)
{
	char name[OUTSIDE_NAME];

	name_outside(word, name);
	return choice_outside(model, kind, name, strlen(name));
}

/* Its record may be another module's (the key was copied here), or there is none. */
static int anonymous(struct model *model, uint64_t object, enum model_choice_kind kind)
{
	const char *name = object_name(model, object);
	int choice;

	if (name)
		name = arena_copy(model->arena, without_prefix(name), strlen(without_prefix(name)));
	else
		name = arena_format(model->arena, "%s@0x%llx", model_choice_kind_name(kind), (unsigned long long)object);
	choice = add_choice(model, kind, name);
	if (choice == MODEL_NONE)
		return MODEL_NONE;
	if (kind == MODEL_KEY)
		add_key_states(model, choice, false);
	model->choices[choice].anonymous = true;
	model->choices[choice].object = object;
	map_put(&model->lookup->objects, object, (uint32_t)choice);
	return choice;
}

int choice_behind(struct model *model, const struct word *word, enum model_choice_kind kind, int *state)
{
	uint32_t found, index = 0;

	if (word->symbol)
		return outside_by_symbol(model, word, kind);
	if (!word->value)
		return MODEL_NONE;
	if (map_get(&model->lookup->states, word->value, &index) && state)
		*state = (int)index;
	if (map_get(&model->lookup->objects, word->value, &found))
		return (int)found;
	return image_room(model->image, word->value) ? anonymous(model, word->value, kind) : MODEL_NONE;
}

/* ---- records ---- */

static void visit_section(struct model *model, const struct model_section *s, record_visitor *visit, bool report)
{
	const uint8_t *bytes = image_at(model->image, s->address, s->size);

	for (uint64_t at = 0, size; bytes && s->size - at >= sizeof(struct relink_record); at += size) {
		size = bytes[at] | (uint64_t)bytes[at + 1] << 8;
		if (!size) { /* padding */
			size = 8;
			continue;
		}
		if (size % 8 || size > s->size - at) {
			if (report)
				find(model, FOUND_RECORD_SIZE, s->address + at, "a record of %llu bytes: it and those behind it are not read",
				     (unsigned long long)size);
			return;
		}
		visit(model, s->address + at, bytes + at, (size_t)size);
	}
}

void each_record(struct model *model, record_visitor *visit, bool report)
{
	for (size_t i = 0; i < model->image->section_count; i++)
		if (!strcmp(model->image->sections[i].name, "relink_records"))
			visit_section(model, &model->image->sections[i], visit, report);
}

const char *string_of(struct model *model, uint64_t record, unsigned field, const char *what)
{
	struct word word = { 0, NULL };
	const char *s = image_word(model->image, record + field, &word) && !word.symbol && word.value ? image_string(model->image, word.value) : NULL;

	if (!s)
		find(model, FOUND_RECORD_NAME, record, "a record whose %s can't be read", what);
	return s;
}

const char *doc_of(struct model *model, uint64_t record, unsigned field)
{
	struct word word = { 0, NULL };
	const char *s = NULL;

	if (image_word(model->image, record + field, &word) && (word.value || word.symbol))
		s = word.symbol ? NULL : image_string(model->image, word.value);
	return s ? s : "";
}

static int new_choice(struct model *model, enum model_choice_kind kind, const char *name, uint64_t record, const uint8_t *bytes)
{
	int choice = add_choice(model, kind, name);

	if (choice == MODEL_NONE) {
		find(model, FOUND_RECORD_STATES, record, "more choices than anybody could have meant");
		return MODEL_NONE;
	}
	model->choices[choice].doc = doc_of(model, record, CHOICE_DOC);
	model->choices[choice].flags = get32(bytes + 4);
	model->choices[choice].baked = (get32(bytes + 4) & RELINK_BAKED) != 0;
	model->choices[choice].record = record;
	return choice;
}

/* An int of an object's; 0 where the file has no bytes of it. */
static int number_at(const struct model *model, uint64_t address)
{
	const uint8_t *bytes = image_at(model->image, address, 4);

	return bytes ? (int)get32(bytes) : 0;
}

/* ---- keys ---- */

static void add_key(struct model *model, const char *name, uint64_t object, uint64_t record, const uint8_t *bytes)
{
	int choice = new_choice(model, MODEL_KEY, name, record, bytes);

	if (choice == MODEL_NONE)
		return;
	add_key_states(model, choice, (get32(bytes + 4) & RELINK_DEFAULT_TRUE) != 0);
	model->choices[choice].object = object;
	map_put(&model->lookup->objects, object, (uint32_t)choice);
}

static void add_key_array(struct model *model, const char *name, uint64_t object, uint64_t count, uint64_t record, const uint8_t *bytes)
{
	if (count > image_room(model->image, object) / KEY_SIZE || count > CHOICES_MAX - model->choice_count) {
		find(model, FOUND_RECORD_STATES, record, "%s: an array of %llu keys does not lie in the file", name, (unsigned long long)count);
		return;
	}
	for (uint64_t i = 0; i < count; i++) {
		size_t index = model->choice_count;
		struct model_choice *c;

		add_key(model, arena_format(model->arena, "%s[%llu]", name, (unsigned long long)i), object + i * KEY_SIZE, record, bytes);
		if (index == model->choice_count)
			return;
		c = &model->choices[index];
		c->element = true;
		c->baked &= number_at(model, c->object + KEY_COUNT) == RELINK_KEY_BAKED;
		if (c->baked)
			c->initial = number_at(model, c->object) != 0;
	}
}

static void key_record(struct model *model, const char *name, uint64_t object, uint64_t record, const uint8_t *bytes)
{
	uint64_t count = get64(bytes + CHOICE_COUNT);
	uint32_t known;

	if (map_get(&model->lookup->objects, object, &known))
		return;
	if (count)
		add_key_array(model, name, object, count, record, bytes);
	else
		add_key(model, name, object, record, bytes);
}

/* ---- options ---- */

static void option_record(struct model *model, const char *name, uint64_t object, uint64_t record, const uint8_t *bytes)
{
	uint64_t count = get64(bytes + CHOICE_COUNT);
	struct word list = { 0, NULL };
	int choice;

	image_word(model->image, record + CHOICE_STATES, &list);
	if (count < 1 || count > 16 || list.symbol) {
		find(model, FOUND_RECORD_STATES, record, "%s: an option of %llu states", name, (unsigned long long)count);
		return;
	}
	choice = new_choice(model, MODEL_OPTION, name, record, bytes);
	for (uint64_t i = 0; i < count && choice != MODEL_NONE; i++) {
		const char *state = string_of(model, list.value + 8 * i, 0, "state's name");

		add_state(model, choice, state ? state : "?");
		map_put(&model->lookup->objects, object + OPTION_KEYS + i * KEY_SIZE, (uint32_t)choice);
		map_put(&model->lookup->states, object + OPTION_KEYS + i * KEY_SIZE, (uint32_t)i);
	}
	if (choice == MODEL_NONE)
		return;
	model->choices[choice].initial = 0;
	if (model->choices[choice].baked && number_at(model, object) >= 0 && (uint64_t)number_at(model, object) < count)
		model->choices[choice].initial = number_at(model, object);
	model->choices[choice].object = object;
	map_put(&model->lookup->objects, object, (uint32_t)choice);
}

/* ---- calls and sequences ---- */

static void check_trampoline(struct model *model, struct model_choice *c, uint64_t entry)
{
	size_t count = 32, opcode;
	const uint8_t *bytes;
	uint64_t slot;

	if (entry < model->text_start || entry >= model->text_stop)
		return; /* plain C: no trampoline */
	if (model_bytes_from(model, entry) < count)
		count = model_bytes_from(model, entry);
	bytes = image_at(model->image, entry, count);
	if (!bytes || !model->port->trampoline(bytes, count, entry, &opcode, &slot) || slot != c->slot) {
		find(model, FOUND_TRAMPOLINE, entry, "%s: its trampoline is none, or goes through another slot", c->name);
		return;
	}
	c->entry = entry;
	map_put(&model->lookup->objects, entry, (uint32_t)(c - model->choices));
}

static void call_record(struct model *model, const char *name, uint64_t object, uint64_t record, const uint8_t *bytes)
{
	bool sequence = (get32(bytes + 4) & RELINK_SEQUENCE_FLAG) != 0;
	int choice = new_choice(model, sequence ? MODEL_SEQUENCE : MODEL_CALL, name, record, bytes);
	struct word slot, entry;
	struct model_choice *c;

	if (choice == MODEL_NONE)
		return;
	c = &model->choices[choice];
	c->object = object;
	map_put(&model->lookup->objects, object, (uint32_t)choice);
	if (!image_word(model->image, object + CALL_SLOT, &slot) || !image_word(model->image, object + CALL_TRAMPOLINE, &entry)) {
		find(model, FOUND_RECORD_OBJECT, record, "%s: what describes the call is not in the file", name);
		return;
	}
	c->slot = slot.symbol ? 0 : slot.value;
	if (!sequence && entry.value && !entry.symbol)
		check_trampoline(model, c, entry.value);
}

/* ---- numbers ---- */

static void number_name(const struct model_choice *c, char *name, size_t size)
{
	unsigned shift = 64 - 8 * c->width;

	if (c->flags & RELINK_SIGNED)
		snprintf(name, size, "%lld", (long long)((int64_t)(c->value << shift) >> shift));
	else
		snprintf(name, size, "%llu", (unsigned long long)c->value);
}

static void number_record(struct model *model, const char *name, uint64_t object, uint64_t record, const uint8_t *bytes)
{
	uint64_t width = get64(bytes + CHOICE_COUNT);
	struct word value;
	struct model_choice *c;
	char text[32];
	int choice;

	if (width < 1 || width > 8 || !image_word(model->image, object, &value) || value.symbol) {
		find(model, FOUND_RECORD_OBJECT, record, "%s: a number of %llu bytes, or not in the file", name, (unsigned long long)width);
		return;
	}
	choice = new_choice(model, MODEL_IMMEDIATE, name, record, bytes);
	if (choice == MODEL_NONE)
		return;
	c = &model->choices[choice];
	c->object = object;
	c->width = (unsigned)width;
	c->value = value.value;
	c->initial = 0;
	number_name(c, text, sizeof(text));
	add_state(model, choice, arena_copy(model->arena, text, strlen(text)));
	map_put(&model->lookup->objects, object, (uint32_t)choice);
}

/* ---- all together ---- */

static void choice_record(struct model *model, uint64_t record, const uint8_t *bytes, size_t size)
{
	static void (*const readers[])(struct model *, const char *, uint64_t, uint64_t, const uint8_t *) = {
		[RELINK_RECORD_KEY] = key_record, [RELINK_RECORD_OPTION] = option_record, [RELINK_RECORD_CALL] = call_record,
		[RELINK_RECORD_IMMEDIATE] = number_record,
	};
	unsigned kind = bytes[2] | (unsigned)bytes[3] << 8;
	struct word object;
	const char *name;

	if (kind >= sizeof(readers) / sizeof(*readers) || !readers[kind])
		return;
	if (size < CHOICE_SIZE) {
		find(model, FOUND_RECORD_SIZE, record, "a choice's record of %zu bytes is too short", size);
		return;
	}
	name = string_of(model, record, CHOICE_NAME, "name");
	if (!name)
		return;
	/* The first page of a shared object is at address 0, and no object is. */
	if (!image_word(model->image, record + CHOICE_OBJECT, &object) ||
	    (!object.symbol && (!object.value || !image_room(model->image, object.value)))) {
		find(model, FOUND_RECORD_OBJECT, record, "%s: what the record describes is not in the file", name);
		return;
	}
	/* A key that a header names may be another module's. */
	if (object.symbol)
		choice_behind(model, &object, kind == RELINK_RECORD_KEY ? MODEL_KEY : MODEL_CALL, NULL);
	else
		readers[kind](model, name, object.value, record, bytes);
}

static void check_version(struct model *model)
{
	static const char name[] = "relink_module_header";
	uint64_t address, size;
	const uint8_t *bytes;

	if (!model_symbol_named(model, name, sizeof(name) - 1, &address, &size))
		return;
	bytes = image_at(model->image, address, 8);
	if (bytes && get32(bytes + 4) != RELINK_ABI)
		find(model, FOUND_ABI, address, "records of version %u, this program reads %u: rebuild the file, or use the relink of its version",
		     get32(bytes + 4), RELINK_ABI);
}

void records_read(struct model *model)
{
	model->lookup = arena_take(model->arena, sizeof(*model->lookup));
	model->lookup->locks = MODEL_NONE;
	check_version(model);
	each_record(model, choice_record, true);
	states_read(model);
}
