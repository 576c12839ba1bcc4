/* SPDX-License-Identifier: MIT */
/*
 * places.c - makes the index: which places of the code the runtime has to look at when there are no relocations any more.
 *
 * Calls of own static calls are those that calls.c has found. Calls of other modules' functions, and loads of other modules'
 * variables, are taken as a whole but for those of the C library: which of them are relink's only the loader knows.
 */
#include <elf.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

#define BEFORE 6 /* as in the runtime */
#define WINDOW 12

struct numbers {
	uint64_t *items;
	size_t count, capacity;
};

struct making {
	const struct model *model;
	struct map slots;   /* GOT slots that may lead to something of relink's */
	struct map systems; /* indices of symbol versions that belong to the C library or the compiler */
	struct numbers places;
	uint64_t pointers, pointers_size; /* the section of accelerated pointers */
	uint8_t *bytes;     /* what is being written */
	size_t size, capacity;
};

static void add_number(struct numbers *list, uint64_t number)
{
	list->items = grown(list->items, list->count, &list->capacity, sizeof(*list->items));
	list->items[list->count++] = number;
}

/* ---- imports ---- */

static bool is_system_version(const char *name)
{
	static const char *const prefixes[] = { "GLIBC_", "GLIBCXX_", "CXXABI_", "GCC_" };

	for (size_t i = 0; name && i < sizeof(prefixes) / sizeof(*prefixes); i++)
		if (!strncmp(name, prefixes[i], strlen(prefixes[i])))
			return true;
	return false;
}

/* One needed file's versions. */
static void read_versions(struct making *m, Elf_Data *data, size_t strings, int at, unsigned count)
{
	Elf *elf = m->model->image->elf;
	GElf_Vernaux version;

	while (count-- && gelf_getvernaux(data, at, &version)) {
		if (is_system_version(elf_strptr(elf, strings, version.vna_name)))
			map_put(&m->systems, version.vna_other & 0x7fff, 1);
		if (!version.vna_next)
			return;
		at += (int)version.vna_next;
	}
}

static Elf_Data *section_of_type(const struct model *model, uint32_t type, GElf_Shdr *s)
{
	for (Elf_Scn *scn = NULL; (scn = elf_nextscn(model->image->elf, scn));)
		if (gelf_getshdr(scn, s) && s->sh_type == type)
			return elf_getdata(scn, NULL);
	return NULL;
}

static void read_needed(struct making *m)
{
	GElf_Shdr s;
	Elf_Data *data = section_of_type(m->model, SHT_GNU_verneed, &s);
	GElf_Verneed needed;
	int at = 0;

	for (unsigned i = 0; data && i < s.sh_info && gelf_getverneed(data, at, &needed); i++) {
		read_versions(m, data, s.sh_link, at + (int)needed.vn_aux, needed.vn_cnt);
		if (!needed.vn_next)
			return;
		at += (int)needed.vn_next;
	}
}

static bool is_in_pointers(const struct making *m, uint64_t address)
{
	return address - m->pointers < m->pointers_size;
}

static bool is_own_call(const struct model *model, uint64_t address)
{
	uint32_t found;

	return address && map_get(&model->lookup->objects, address, &found) && model->choices[found].entry == address;
}

static void read_slots(struct making *m)
{
	const struct image *image = m->model->image;
	GElf_Shdr s;
	Elf_Data *versions = section_of_type(m->model, SHT_GNU_versym, &s);

	read_needed(m);
	for (size_t i = 0; i < image->import_count; i++) {
		const struct import *import = &image->imports[i];
		GElf_Versym version;
		uint32_t one;

		if (import->undefined && versions && gelf_getversym(versions, (int)import->index, &version) &&
		    map_get(&m->systems, version & 0x7fff, &one))
			continue;
		if (import->undefined || is_in_pointers(m, import->value) || is_own_call(m->model, import->value))
			map_put(&m->slots, import->place, 1);
	}
}

static void find_pointers(struct making *m)
{
	for (size_t i = 0; i < m->model->image->section_count; i++) {
		const struct model_section *s = &m->model->image->sections[i];

		if (strcmp(s->name, "relink_pointers") != 0)
			continue;
		m->pointers = s->address;
		m->pointers_size = s->size;
	}
}

/* ---- code ---- */

static bool leads_to_slot(const struct making *m, const struct rl_found *found)
{
	const uint8_t *stub = image_at(m->model->image, found->target, 16);
	uint64_t slot = found->target;
	uint32_t one;

	if (!found->via_slot && (!stub || !m->model->port->plt_slot(stub, 16, found->target, &slot)))
		return false;
	return map_get(&m->slots, slot, &one);
}

static bool is_about_pointers(const struct making *m, const uint8_t *window, uint64_t place)
{
	struct rl_reference r;
	uint32_t one;

	m->model->port->refer(window, BEFORE, WINDOW, place, &r);
	if (r.use == RL_USE_OTHER)
		return false;
	return is_in_pointers(m, r.target) || (r.use == RL_USE_LOAD && map_get(&m->slots, r.target, &one));
}

static int consider(const struct rl_elf_reloc *reloc, void *ctx)
{
	struct making *m = ctx;
	const uint8_t *window = image_at(m->model->image, reloc->place - BEFORE, WINDOW);
	struct rl_found found;

	if (!window)
		return 0;
	if ((m->model->port->recognise(window, BEFORE, WINDOW, reloc->place, &found) && leads_to_slot(m, &found)) ||
	    is_about_pointers(m, window, reloc->place))
		add_number(&m->places, reloc->place);
	return 0;
}

static int by_value(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static bool find_places(struct making *m)
{
	const struct model *model = m->model;
	size_t kept = 0;

	for (size_t i = 0; i < model->site_count; i++)
		if (model->sites[i].kind == RL_CALL || model->sites[i].kind == RL_TAIL || model->sites[i].kind == RL_JCC)
			add_number(&m->places, model->sites[i].record);
	if (rl_elf_each_reloc(&model->image->relocs, NULL, consider, m) < 0)
		return false;
	if (m->places.count)
		qsort(m->places.items, m->places.count, sizeof(*m->places.items), by_value);
	for (size_t i = 0; i < m->places.count; i++)
		if (!i || m->places.items[i] != m->places.items[i - 1])
			m->places.items[kept++] = m->places.items[i];
	m->places.count = kept;
	return true;
}

/* ---- writing ---- */

static void put(struct making *m, const void *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		m->bytes = grown(m->bytes, m->size, &m->capacity, 1);
		m->bytes[m->size++] = ((const uint8_t *)bytes)[i];
	}
}

static void put_number(struct making *m, uint64_t number)
{
	uint8_t byte;

	do {
		byte = (uint8_t)((number & 0x7f) | (number > 0x7f ? 0x80 : 0));
		put(m, &byte, 1);
		number >>= 7;
	} while (number);
}

static uint32_t put_places(struct making *m, uint64_t base)
{
	size_t start = m->size;

	for (size_t i = 0; i < m->places.count; i++) {
		put_number(m, m->places.items[i] - base);
		base = m->places.items[i];
	}
	return (uint32_t)(m->size - start);
}

static uint32_t put_variables(struct making *m, uint64_t address, uint32_t *count)
{
	const struct rl_elf *elf = &m->model->image->relocs;
	size_t start = m->size;
	struct rl_elf_symbol symbol;

	for (uint32_t i = 1; i < rl_elf_symbol_count(elf); i++) {
		int32_t distance;
		uint32_t size;

		if (!rl_elf_symbol(elf, i, &symbol) || symbol.type != STT_OBJECT || symbol.undefined || !is_in_pointers(m, symbol.value))
			continue;
		distance = (int32_t)(symbol.value - (address + m->size));
		size = (uint32_t)symbol.size;
		put(m, &distance, 4);
		put(m, &size, 4);
		put(m, symbol.name, symbol.name_length);
		put(m, "", 1);
		++*count;
	}
	return (uint32_t)(m->size - start);
}

static void write_index(struct making *m, uint64_t address)
{
	struct relink_index head = { .version = RELINK_INDEX_VERSION, .place_count = (uint32_t)m->places.count };
	uint64_t base = m->places.count ? m->places.items[0] : address;
	struct rl_index index;

	memcpy(head.magic, RELINK_INDEX_MAGIC, sizeof(head.magic));
	head.base = (int64_t)(base - address);
	put(m, &head, sizeof(head));
	head.place_bytes = put_places(m, base);
	head.variable_bytes = put_variables(m, address, &head.variable_count);
	head.size = (uint32_t)m->size;
	memcpy(m->bytes, &head, sizeof(head));
	if (!rl_index_open(&index, m->bytes, m->size, address) &&
	    rl_index_digest(&index, table_code, (void *)(uintptr_t)m->model, &head.digest))
		memcpy(m->bytes, &head, sizeof(head));
}

uint8_t *model_index(const struct model *model, uint64_t address, size_t *size, size_t *places, const char **why)
{
	struct making m = { .model = model };

	find_pointers(&m);
	read_slots(&m);
	if (!find_places(&m))
		*why = "its sections of kept relocations are broken";
	else if (m.places.count >= UINT32_MAX / 10)
		*why = "it has more places than an index can hold";
	else
		write_index(&m, address);
	*size = m.size;
	*places = m.places.count;
	map_free(&m.slots);
	map_free(&m.systems);
	free(m.places.items);
	return m.bytes;
}
