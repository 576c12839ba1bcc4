/* SPDX-License-Identifier: MIT */
/* indexing.c - see indexing.h. */
#include "indexing.h"

#include <stdlib.h>
#include <string.h>

#include <relink/abi.h>

/* ---- is it a file that can be indexed? ---- */

static bool has_static_relocs(const struct splice *s)
{
	for (size_t i = 1; i < s->section_count; i++)
		if ((s->sections[i].sh_type == SHT_RELA || s->sections[i].sh_type == SHT_REL) && !splice_is_loaded(&s->sections[i]))
			return true;
	return false;
}

const char *indexing_refused(const struct model *model)
{
	uint64_t note, place;

	if (model->is_object)
		return "an object file: link it first, or let relink object put tables into it";
	if (model_is_indexed(model))
		return model->has_index ? NULL : "its index is broken or is about other code: index the linker's output instead";
	if (!model_note(model, &note, &place))
		return model->has_records ? "compiled with headers of a relink that had no index: compile it again"
					  : "it uses no relink, there is nothing to index";
	if (model->has_relocs)
		return NULL;
	if (model->has_places)
		return "it has places from relink object, which strip leaves alone: there is no need to";
	return model->has_symbols ? "no relocations were kept: link it with -Wl,--emit-relocs"
				  : "it is stripped: index the linker's output before it is stripped";
}

/* ---- the new file ---- */

static const char *add_index(struct indexing *x)
{
	struct relink_index_place place = { 0, 0 };
	uint64_t note, at, address;
	const char *why = NULL;
	uint8_t *index;

	model_note(x->model, &note, &at);
	address = splice_address(&x->splice);
	if (address - at > INT32_MAX)
		return "its segments are further apart than 2 GiB";
	index = model_index(x->model, address, &x->size, &x->places, &why);
	if (!why)
		why = splice_make_room(&x->splice, note, at);
	if (!why)
		why = splice_add(&x->splice, "relink_index", index, x->size);
	free(index);
	place.index = (int32_t)(address - at);
	place.size = (uint32_t)x->size;
	if (!why)
		splice_write(&x->splice, at, &place, sizeof(place));
	return why;
}

static const char *name_of(const struct model *model, const struct model_site *s)
{
	return s->choice == MODEL_NONE ? "" : model->choices[s->choice].name;
}

/* The same choice may have another index: those without a record come as they are met. */
static bool same_site(const struct model *x, const struct model_site *a, const struct model *y, const struct model_site *b)
{
	return a->address == b->address && a->kind == b->kind && !strcmp(name_of(x, a), name_of(y, b)) && a->home == b->home && a->state == b->state;
}

/* Calls that were baked lead where their choice says. Symbols of relocations tell which they are, and the runtime does not ask. */
static bool is_baked_call(const struct model *model, const struct model_site *s)
{
	return (s->kind == RL_CALL || s->kind == RL_TAIL || s->kind == RL_JCC) && s->choice != MODEL_NONE && model->choices[s->choice].baked;
}

static const struct model_site *next_site(const struct model *model, size_t *i)
{
	while (*i < model->site_count && is_baked_call(model, &model->sites[*i]))
		++*i;
	return *i < model->site_count ? &model->sites[(*i)++] : NULL;
}

static bool same_sites(const struct model *x, const struct model *y)
{
	const struct model_site *a, *b;
	size_t i = 0, k = 0;

	do {
		a = next_site(x, &i);
		b = next_site(y, &k);
	} while (a && b && same_site(x, a, y, b));
	return !a && !b;
}

/* Reads the result as anybody would, and compares what it says with what the relocations said. */
static const char *compare(const struct indexing *x)
{
	static char why[300];
	uint8_t *copy = malloc(x->splice.out_size);
	struct model *model;
	const char *wrong = NULL;

	if (!copy)
		return "out of memory";
	memcpy(copy, x->splice.out, x->splice.out_size);
	model = model_of(x->model->path, copy, x->splice.out_size, why, sizeof(why));
	if (!model)
		return why;
	model_connect(&model, 1);
	if (!model->has_index || !same_sites(model, x->model))
		wrong = "its index would not say what its relocations say; please report this";
	model_close(model);
	return wrong;
}

const char *indexing_make(struct indexing *x)
{
	bool drop = x->drop;
	const uint8_t *bytes;
	const char *why;
	size_t size;

	bytes = model_file(x->model, &size);
	why = splice_open(&x->splice, bytes, size);
	drop = !why && drop && has_static_relocs(&x->splice);
	x->changed = drop || !x->model->has_index;
	if (why || !x->changed)
		return why;
	if (!x->model->has_index)
		why = add_index(x);
	if (!why && drop)
		why = splice_drop_relocs(&x->splice);
	why = why ? why : splice_finish(&x->splice);
	return why ? why : compare(x);
}

void indexing_end(struct indexing *x)
{
	splice_close(&x->splice);
}
