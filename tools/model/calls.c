/* SPDX-License-Identifier: MIT */
/*
 * calls.c - finds the calls of static calls, as the runtime does: a place of the index, a kept relocation, or a place from an object
 * file, leads to a site if the code there goes to a trampoline of this file, or to the PLT stub of a slot that the loader will fill with
 * the address of a trampoline.
 *
 * Which imported functions are static calls of other modules this file does not say, unless it also imports what describes
 * the call; the files that are read together with it do.
 */
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

#define BEFORE 6 /* as in the runtime */
#define WINDOW 12

/* What a symbol means: a call, and the slot that leads to it if it is reached through one. */
struct meaning {
	int call;
	uint64_t slot;
};

struct search {
	struct model *model;
	struct map defined; /* hash of the name -> call that one of the other files defines */
	struct map slots;   /* address of a slot -> call */
	struct map by_name; /* hash of an imported name -> import */
	struct meaning *meanings;
	uint8_t *wanted;
};

static int call_at(const struct model *model, uint64_t address)
{
	uint32_t found;

	if (!map_get(&model->lookup->objects, address, &found) || model->choices[found].entry != address || !address)
		return MODEL_NONE;
	return (int)found;
}

/* ---- imports ---- */

/* What describes a call of another module is imported by who sets it. */
static void list_descriptions(struct search *s)
{
	static const char prefix[] = "relink_call_";
	const size_t length = sizeof(prefix) - 1;

	for (size_t i = 0; i < s->model->image->import_count; i++) {
		const struct import *import = &s->model->image->imports[i];

		if (import->length > length && !memcmp(import->symbol, prefix, length))
			map_put(&s->defined, hash_of(import->symbol + length, import->length - length), 0);
	}
}

static void list_others(struct search *s, struct model **others, size_t count)
{
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; others[i] != s->model && k < others[i]->choice_count; k++) {
			const struct model_choice *c = &others[i]->choices[k];

			if (c->kind == MODEL_CALL && c->entry)
				map_put(&s->defined, hash_of(c->name, strlen(c->name)), (uint32_t)k);
		}
	list_descriptions(s);
}

static void read_imports(struct search *s)
{
	struct model *model = s->model;
	const struct image *image = model->image;

	for (size_t i = 0; i < image->import_count; i++) {
		const struct import *import = &image->imports[i];
		uint64_t hash = hash_of(import->symbol, import->length);
		uint32_t known;
		int call = MODEL_NONE;

		if (!import->undefined)
			call = call_at(model, import->value);
		else if (map_get(&s->defined, hash, &known))
			call = choice_outside(model, MODEL_CALL, import->symbol, import->length);
		if (call == MODEL_NONE)
			continue;
		map_put(&s->slots, import->place, (uint32_t)call);
		map_put(&s->by_name, hash, (uint32_t)i);
	}
}

/* ---- symbols ---- */

static struct meaning imported(const struct search *s, const struct rl_elf_symbol *symbol)
{
	const struct import *import;
	uint32_t i, call;

	if (!map_get(&s->by_name, hash_of(symbol->name, symbol->name_length), &i))
		return (struct meaning){ MODEL_NONE, 0 };
	import = &s->model->image->imports[i];
	if (import->length != symbol->name_length || memcmp(import->symbol, symbol->name, import->length) != 0 ||
	    !map_get(&s->slots, import->place, &call))
		return (struct meaning){ MODEL_NONE, 0 };
	return (struct meaning){ (int)call, import->place };
}

static struct meaning meaning_of(const struct search *s, const struct rl_elf_symbol *symbol)
{
	struct meaning m = { MODEL_NONE, 0 }, through;

	if (!symbol->undefined)
		m.call = call_at(s->model, symbol->value);
	if (!s->slots.count || (!symbol->undefined && m.call == MODEL_NONE))
		return m;
	through = imported(s, symbol);
	return through.call == MODEL_NONE ? m : through;
}

static bool mark_symbols(struct search *s)
{
	const struct rl_elf *elf = &s->model->image->relocs;
	uint32_t count = rl_elf_symbol_count(elf);
	struct rl_elf_symbol symbol;
	bool any = s->slots.count != 0;

	s->meanings = calloc(count + 1u, sizeof(*s->meanings));
	s->wanted = calloc(count / 8u + 1u, 1);
	if (!s->meanings || !s->wanted)
		return false;
	/* mold 1.10 keeps relocations against imported symbols without their symbol. */
	s->wanted[0] = any;
	s->meanings[0].call = MODEL_NONE;
	for (uint32_t i = 1; i < count; i++) {
		s->meanings[i].call = MODEL_NONE;
		if (!rl_elf_symbol(elf, i, &symbol))
			continue;
		s->meanings[i] = meaning_of(s, &symbol);
		if (s->meanings[i].call == MODEL_NONE)
			continue;
		s->wanted[i / 8] |= (uint8_t)(1u << i % 8);
		any = true;
	}
	return any;
}

/* ---- relocations ---- */

/* The call that code which goes to `target` is one of, if the relocation's symbol allows it. */
static int call_behind(const struct search *s, const struct meaning *m, uint64_t target)
{
	const uint8_t *stub;
	uint64_t slot;
	uint32_t call;

	if (m->call != MODEL_NONE && target && target == s->model->choices[m->call].entry)
		return m->call;
	if (m->call != MODEL_NONE && !m->slot)
		return MODEL_NONE;
	stub = image_at(s->model->image, target, 16);
	if (!stub || !model_is_code(s->model, target) || !s->model->port->plt_slot(stub, 16, target, &slot) ||
	    !map_get(&s->slots, slot, &call) || (m->call != MODEL_NONE && m->call != (int)call))
		return MODEL_NONE;
	return (int)call;
}

static bool recognise(const struct model *model, uint64_t place, struct rl_found *found)
{
	const uint8_t *window = image_at(model->image, place - BEFORE, WINDOW);

	return window && model->port->recognise(window, BEFORE, WINDOW, place, found);
}

static void add_call(struct model *model, uint64_t place, const struct rl_found *found, int call)
{
	if (call != MODEL_NONE)
		*add_site(model) = (struct model_site){ .address = found->address, .record = place, .home = found->target, .choice = call,
							.state = MODEL_NONE, .use = MODEL_NONE, .kind = (uint8_t)found->kind,
							.length = model->port->length[found->kind] };
}

/* What a call is in the state that was baked. */
static bool baked_want(const struct model *model, const struct model_choice *c, struct rl_want *want)
{
	const struct model_choice *decides = c->table == MODEL_NONE ? c : &model->choices[c->table];
	const char *symbol;

	if (!c->baked || decides->initial == MODEL_NONE)
		return false;
	*want = decides->states[decides->initial].want;
	return c->table == MODEL_NONE || member_want(model, c, &decides->states[decides->initial], want, &symbol);
}

/* A call that was baked no longer leads to its trampoline: it says what its choice says. */
static void consider_baked(struct model *model, int call, uint64_t place)
{
	/* How far in front of its relocation an instruction may begin; see the port's recognise. */
	static const struct { enum rl_kind kind; unsigned before; } shapes[] = {
		{ RL_JCC, 2 }, { RL_CALL, 1 }, { RL_TAIL, 1 }, { RL_TAIL, 2 },
	};
	struct rl_found found = { .target = model->choices[call].entry };
	struct rl_want want;

	for (size_t i = 0; baked_want(model, &model->choices[call], &want) && i < sizeof(shapes) / sizeof(*shapes); i++) {
		const uint8_t *bytes = image_at(model->image, place - shapes[i].before, RL_SITE_MAX);

		found.kind = shapes[i].kind;
		found.address = place - shapes[i].before;
		if (bytes && model->port->expresses(found.kind, found.address, found.target, &want, bytes)) {
			add_call(model, place, &found, call);
			return;
		}
	}
}

static int consider(const struct rl_elf_reloc *reloc, void *ctx)
{
	struct search *s = ctx;
	const struct meaning *m = &s->meanings[reloc->symbol];
	struct rl_found found;
	bool is_call = recognise(s->model, reloc->place, &found);
	int call = MODEL_NONE;

	if (is_call && found.via_slot) {
		s->model->through_got += m->slot && found.target == m->slot;
		return 0;
	}
	if (is_call)
		call = call_behind(s, m, found.target);
	if (call != MODEL_NONE)
		add_call(s->model, reloc->place, &found, call);
	else if (m->call != MODEL_NONE && s->model->choices[m->call].entry)
		consider_baked(s->model, m->call, reloc->place);
	return 0;
}

/* ---- the index: no symbols, the code alone says where it leads ---- */

static int consider_place(uint64_t place, void *ctx)
{
	struct search *s = ctx;
	struct rl_found found;
	uint32_t call;
	int own;

	if (!recognise(s->model, place, &found))
		return 0;
	if (found.via_slot) {
		s->model->through_got += map_get(&s->slots, found.target, &call);
		return 0;
	}
	own = call_at(s->model, found.target);
	add_call(s->model, place, &found, own != MODEL_NONE ? own : call_behind(s, &(struct meaning){ MODEL_NONE, 0 }, found.target));
	return 0;
}

/* Each section once: more bytes than the file has are in no section of it. */
void each_place(const struct model *model, const char *section, int (*visit)(uint64_t place, void *ctx), void *ctx)
{
	const struct image *image = model->image;
	uint64_t budget = image->size, place;

	for (size_t i = 0; i < image->section_count; i++) {
		const struct model_section *table = &image->sections[i];

		if (strcmp(table->name, section) != 0 || table->size > budget)
			continue;
		budget -= table->size;
		for (uint64_t at = 0; at + 4 <= table->size; at += 4)
			if (image_field(image, table->address + at, &place))
				visit(place, ctx);
	}
}

/* By a relocation, and not by a record. */
static bool is_found(const struct model_site *s)
{
	return s->kind == RL_CALL || s->kind == RL_TAIL || s->kind == RL_JCC || s->kind == RL_POINTER_CALL || s->kind == RL_POINTER_TAIL ||
	       s->kind >= RL_POINTER_USE;
}

/* Code that is replaced as a whole is its own: calls in there reach their trampolines. Sites are sorted. */
static void drop_those_in_patches(struct model *model)
{
	uint64_t stop = 0;
	size_t kept = 0;

	for (size_t i = 0; i < model->site_count; i++) {
		const struct model_site *s = &model->sites[i];
		bool wide = s->kind == RL_ALTERNATIVE || s->kind == RL_SEQUENCE;
		bool call = is_found(s);

		if (wide && s->address + s->length > stop)
			stop = s->address + s->length;
		if (!call || s->address >= stop)
			model->sites[kept++] = *s;
	}
	model->site_count = kept;
}

/* A call that begins where a patch begins comes first in the order of kinds, and is found by a second look. */
static void drop_those_at_patches(struct model *model)
{
	size_t kept = 0;

	for (size_t i = 0; i < model->site_count; i++) {
		const struct model_site *s = &model->sites[i];
		bool call = is_found(s), covered = false;

		for (size_t k = i + 1; call && k < model->site_count && model->sites[k].address == s->address; k++)
			covered |= model->sites[k].kind == RL_ALTERNATIVE || model->sites[k].kind == RL_SEQUENCE;
		if (!covered)
			model->sites[kept++] = *s;
	}
	model->site_count = kept;
}

void calls_read(struct model *model, struct model **others, size_t count)
{
	struct search s = { .model = model };

	list_others(&s, others, count);
	read_imports(&s);
	if (model->has_index)
		rl_index_each(&model->table->index, consider_place, &s);
	else if (!model->has_relocs && model->has_places)
		each_place(model, "relink_sites", consider_place, &s);
	else if (mark_symbols(&s) && rl_elf_each_reloc(&model->image->relocs, s.wanted, consider, &s) < 0)
		find(model, FOUND_RELOCS, 0, "its sections of kept relocations are broken: some calls are not found");
	sites_sort(model);
	drop_those_in_patches(model);
	drop_those_at_patches(model);
	map_free(&s.defined);
	map_free(&s.slots);
	map_free(&s.by_name);
	free(s.meanings);
	free(s.wanted);
}
