/* SPDX-License-Identifier: MIT */
/*
 * index.c - the tables that `relink index` and `relink object` have left in a module. They lie in the
 * module's memory, so that no file is opened for them.
 *
 * The index is compared with the code once, before the first of the module's sites is bound: from then on the code differs.
 */
#include "runtime/runtime.h"

static const struct relink_index_place *place_of(const struct relink_module_header *header)
{
	const size_t needed = offsetof(struct relink_module_header, index) + sizeof(header->index);

	if (header->abi != RELINK_ABI || header->size < needed || !header->index || !header->index->index)
		return NULL;
	return header->index;
}

static const char *open_index(const struct relink_index_place *place, struct rl_index *index)
{
	const uint8_t *bytes = (const uint8_t *)&place->index + place->index;

	return rl_index_open(index, bytes, place->size, (uintptr_t)bytes);
}

static const uint8_t *code_at(uint64_t place, void *ctx)
{
	const struct rl_image *image = ctx;

	if (place < image->text_start || place > image->text_stop || image->text_stop - place < 4)
		return NULL;
	return (const uint8_t *)(uintptr_t)place;
}

bool rl_has_fitting_index(const struct relink_module_header *header, struct rl_image *image)
{
	const struct relink_index_place *place = place_of(header);
	const char *why, *name = image->path;
	struct rl_index index;
	struct rl_text t;
	char line[200];

	if (!place)
		return false;
	why = open_index(place, &index);
	why = why ? why : rl_index_fits(&index, code_at, image);
	if (!why)
		return true;
	for (const char *p = image->path; *p; p++)
		if (*p == '/')
			name = p + 1;
	t = rl_text_into(line, sizeof(line));
	rl_text_add(&t, name);
	rl_text_add(&t, ": ");
	rl_text_add(&t, why);
	rl_remark(line);
	return false;
}

bool rl_module_index(const struct rl_module *module, struct rl_index *index)
{
	return module->indexed && !open_index(module->header->index, index);
}

/* ---- from object files ---- */

bool rl_has_places(const struct relink_module_header *header)
{
	const size_t needed = offsetof(struct relink_module_header, got_sites_stop) + sizeof(header->got_sites_stop);

	return header->abi == RELINK_ABI && header->size >= needed &&
	       (header->sites_start < header->sites_stop || header->got_sites_start < header->got_sites_stop);
}

void rl_each_place(const struct rl_module *module, bool got, rl_place_visitor *visit, void *ctx)
{
	const struct relink_module_header *header = module->header;
	const int32_t *at = got ? header->got_sites_start : header->sites_start, *stop = got ? header->got_sites_stop : header->sites_stop;

	while (at < stop && !visit((uintptr_t)at + (uintptr_t)(intptr_t)*at, ctx))
		at++;
}
