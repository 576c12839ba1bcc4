/* SPDX-License-Identifier: MIT */
/*
 * marked.c - which memory is marked: the section relink_pointers, what records describe, and the records.
 *
 * What another file defines has no address here. An object file's symbols have one that was made up when it was read; what a GOT slot
 * will hold gets one here, far from all others, so that everything else is about addresses alone.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../tools/model/layout.h"
#include "internal.h"

#define ALIAS_BASE 0xffff800000000000u
#define ALIAS_EACH 0x1000000u
#define MARKED_MAX 1000000

int by_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

bool is_number_in(const uint64_t *sorted, size_t count, uint64_t number, size_t *index)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (sorted[middle] < number)
			low = middle + 1;
		else
			high = middle;
	}
	*index = low;
	return low < count && sorted[low] == number;
}

/* ---- what this file has ---- */

static void add(struct subject *s, uint64_t start, uint64_t size, enum marked_kind kind, const char *name)
{
	if (!size || start + size < start || s->marked_count >= MARKED_MAX)
		return;
	s->marked = grown(s->marked, s->marked_count, &s->marked_capacity, sizeof(*s->marked));
	s->marked[s->marked_count++] = (struct marked){ start, size, kind, name };
}

static void read_sections(struct subject *s)
{
	static const char *const records[] = { "relink_records", "relink_branch", "relink_patch", "relink_use_sites" };
	const struct image *image = s->model->image;

	for (size_t i = 0; i < image->section_count; i++) {
		const struct model_section *section = &image->sections[i];

		if (!strncmp(section->name, ".got", 4) && section->size) {
			s->got_start = !s->got_stop || section->address < s->got_start ? section->address : s->got_start;
			s->got_stop = section->address + section->size > s->got_stop ? section->address + section->size : s->got_stop;
		}
		if (!strcmp(section->name, "relink_pointers"))
			add(s, section->address, section->size, MARKED_POINTER, NULL);
		for (size_t k = 0; k < sizeof(records) / sizeof(*records); k++)
			if (!strcmp(section->name, records[k]))
				add(s, section->address, section->size, MARKED_RECORD, section->name);
	}
}

static void read_choice(struct subject *s, const struct model_choice *c)
{
	if (!c->object || c->elsewhere)
		return;
	switch (c->kind) {
	case MODEL_KEY:
		add(s, c->object, KEY_SIZE, MARKED_KEY, c->name);
		break;
	case MODEL_OPTION:
		add(s, c->object, OPTION_KEYS + c->state_count * KEY_SIZE, MARKED_OPTION, c->name);
		break;
	case MODEL_IMMEDIATE:
		add(s, c->object, IMMEDIATE_SIZE, MARKED_NUMBER, c->name);
		break;
	case MODEL_CALL:
	case MODEL_SEQUENCE:
		add(s, c->object, CALL_SIZE, MARKED_CALL, c->name);
		if (c->slot)
			add(s, c->slot, 8, MARKED_CALL, c->name);
		break;
	case MODEL_POINTER: /* its section is marked as a whole */
		break;
	default:
		add(s, c->object, CALL_SIZE, MARKED_TABLE, c->name);
	}
}

/* Names of accelerated pointers, which survive strip. */
static void read_pointer(struct subject *s, uint64_t record, const uint8_t *bytes, size_t size)
{
	unsigned kind = bytes[2] | (unsigned)bytes[3] << 8;
	struct word name, object;
	const char *text;

	if (kind != RELINK_RECORD_POINTER || size < 40 || !image_word(s->model->image, record + 8, &name) ||
	    !image_word(s->model->image, record + 24, &object) || name.symbol || object.symbol)
		return;
	text = image_string(s->model->image, name.value);
	if (!text)
		return;
	s->named = grown(s->named, s->named_count, &s->named_capacity, sizeof(*s->named));
	s->named[s->named_count++] = (struct named){ object.value, get64(bytes + 32), text };
}

static void read_pointers(struct subject *s)
{
	const struct image *image = s->model->image;

	for (size_t i = 0; i < image->section_count; i++) {
		const struct model_section *section = &image->sections[i];
		const uint8_t *bytes = strcmp(section->name, "relink_records") ? NULL : image_at(image, section->address, section->size);
		uint64_t size;

		for (uint64_t at = 0; bytes && section->size - at >= 8; at += size ? size : 8) {
			size = bytes[at] | (uint64_t)bytes[at + 1] << 8;
			if (size % 8 || size > section->size - at)
				break;
			if (size)
				read_pointer(s, section->address + at, bytes + at, size);
		}
	}
}

static int by_start(const void *a, const void *b)
{
	const struct marked *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

static void sort(struct subject *s)
{
	s->low = s->high = 0;
	if (!s->marked_count)
		return;
	qsort(s->marked, s->marked_count, sizeof(*s->marked), by_start);
	s->low = s->marked[0].start;
	for (size_t i = 0; i < s->marked_count; i++)
		if (s->marked[i].start + s->marked[i].size > s->high)
			s->high = s->marked[i].start + s->marked[i].size;
}

void marked_read(struct subject *s)
{
	read_sections(s);
	read_pointers(s);
	for (size_t i = 0; i < s->model->choice_count; i++)
		read_choice(s, &s->model->choices[i]);
	sort(s);
}

void marked_free(struct subject *s)
{
	free(s->marked);
	free(s->aliases);
	free(s->named);
	free(s->absolute);
	free(s->references);
	free(s->seen);
	free(s->start_up);
	free(s->indirect);
}

/* ---- what other files have ---- */

/* Marked objects that other files may name. */
void exports_read(struct exports *e, const struct subject *subjects, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct object object;

		for (size_t k = 0; subjects[i].marked_count && each_object(subjects[i].model, &k, &object);) {
			const struct marked *m = object.local ? NULL : marked_at(&subjects[i], object.address);

			if (!m || is_outside(subjects[i].model, object.address))
				continue;
			e->list = grown(e->list, e->count, &e->capacity, sizeof(*e->list));
			e->list[e->count] = (struct export){ object.name, object.size, m->kind, subjects[i].model };
			map_put(&e->by_name, hash_of(object.name, strlen(object.name)), (uint32_t)e->count++);
		}
	}
}

void exports_free(struct exports *e)
{
	map_free(&e->by_name);
	free(e->list);
}

static const struct export *exported(const struct subject *s, const struct exports *e, const char *symbol)
{
	uint32_t i;

	if (!map_get(&e->by_name, hash_of(symbol, strlen(symbol)), &i) || strcmp(e->list[i].name, symbol) != 0)
		return NULL;
	return e->list[i].model != s->model ? &e->list[i] : NULL;
}

static void connect_symbol(struct subject *s, const struct exports *e, const char *symbol, uint64_t address)
{
	const struct export *x = exported(s, e, symbol);

	if (x)
		add(s, address, x->size, x->kind, arena_copy(s->model->arena, symbol, strlen(symbol)));
}

static void add_alias(struct subject *s, const char *symbol)
{
	for (size_t i = 0; i < s->alias_count; i++)
		if (!strcmp(s->aliases[i].symbol, symbol))
			return;
	s->aliases = grown(s->aliases, s->alias_count, &s->alias_capacity, sizeof(*s->aliases));
	s->aliases[s->alias_count] = (struct alias){ symbol, ALIAS_BASE + s->alias_count * ALIAS_EACH };
	s->alias_count++;
}

void marked_connect(struct subject *s, const struct exports *e)
{
	const struct image *image = s->model->image;
	const char *symbol;
	uint64_t address;

	if (!e->count)
		return;
	for (size_t i = 0; each_outside(s->model, &i, &symbol, &address);)
		connect_symbol(s, e, symbol, address);
	for (size_t i = 0; i < image->fixup_count; i++)
		if (image->fixups[i].symbol && exported(s, e, image->fixups[i].symbol))
			add_alias(s, image->fixups[i].symbol);
	for (size_t i = 0; i < s->alias_count; i++)
		connect_symbol(s, e, s->aliases[i].symbol, s->aliases[i].address);
	sort(s);
}

/* ---- questions ---- */

const struct marked *marked_at(const struct subject *s, uint64_t address)
{
	size_t low = 0, high = s->marked_count;

	if (address < s->low || address >= s->high)
		return NULL;
	while (low < high) {
		size_t middle = (low + high) / 2;

		if (s->marked[middle].start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low && address - s->marked[low - 1].start < s->marked[low - 1].size ? &s->marked[low - 1] : NULL;
}

static const char *with_offset(const struct subject *s, const char *name, uint64_t offset, bool exact)
{
	if (!exact)
		return arena_format(s->model->arena, "%s", name);
	return offset ? arena_format(s->model->arena, "%s+%llu", name, (unsigned long long)offset) : name;
}

const char *marked_name(const struct subject *s, const struct marked *m, uint64_t address, bool exact)
{
	struct object object;

	if (m->name)
		return with_offset(s, m->name, m->kind == MARKED_POINTER ? address - m->start : 0, exact);
	for (size_t i = 0; i < s->named_count; i++)
		if (address - s->named[i].start < s->named[i].size)
			return with_offset(s, s->named[i].name, address - s->named[i].start, exact);
	if (object_at(s->model, address, &object))
		return with_offset(s, object.name, address - object.address, exact);
	return arena_format(s->model->arena, "relink_pointers+0x%llx", (unsigned long long)(address - m->start));
}

const char *marked_kind_name(enum marked_kind kind)
{
	static const char *const names[] = { "accelerated pointer", "key", "option", "number", "static call", "operations table",
					     "section" };

	return names[kind];
}

static bool is_got(const struct image *image, uint64_t address)
{
	for (size_t i = 0; i < image->section_count; i++)
		if (!strncmp(image->sections[i].name, ".got", 4) && address - image->sections[i].address < image->sections[i].size)
			return true;
	return false;
}

bool slot_address(const struct subject *s, uint64_t slot, uint64_t *address)
{
	const struct image *image = s->model->image;
	struct word word;

	if (slot < s->got_start || slot >= s->got_stop || !is_got(image, slot) || !image_word(image, slot, &word))
		return false;
	*address = word.value;
	for (size_t i = 0; word.symbol && i < s->alias_count; i++)
		if (!strcmp(s->aliases[i].symbol, word.symbol)) {
			*address = s->aliases[i].address + word.value;
			return true;
		}
	return !word.symbol;
}

const char *slot_function(const struct subject *s, uint64_t slot)
{
	struct word word;
	const char *name;
	uint64_t offset, size;

	for (size_t i = 0; i < s->indirect_count; i++)
		if (s->indirect[i].place == slot)
			return model_symbol_at(s->model, s->indirect[i].resolver, &name, &offset, &size) ? name : NULL;
	if (!image_word(s->model->image, slot, &word))
		return NULL;
	if (word.symbol)
		return word.symbol;
	return slot_address(s, slot, &word.value) && model_symbol_at(s->model, word.value, &name, &offset, &size) ? name : NULL;
}
