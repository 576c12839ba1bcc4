/* SPDX-License-Identifier: MIT */
/*
 * uses.c - uses of keys that are choices of their own: records in relink_use_sites, and the branches that they are.
 *
 * A file may have a hundred thousand of them, and neighbours share their strings: those stay where they are in the file.
 */
#include <stdlib.h>
#include <string.h>

#include "internal.h"
#include "layout.h"

#define USES_MAX (1u << 26)
#define PATH_LENGTH 4096 /* that counts when uses are put in order */

/* "" and a finding: it can't be read. */
static const char *text_of(struct model *model, uint64_t record, unsigned field, const char *what)
{
	uint64_t address;
	const char *s = image_field(model->image, record + field, &address) ? image_string(model->image, address) : NULL;

	if (!s)
		find(model, FOUND_USE_TEXT, record, "a use whose %s can't be read", what);
	return s ? s : "";
}

/* What the code tests where it is not rewritten. */
static bool lies_in_data(struct model *model, uint64_t record, uint64_t address)
{
	if (image_room(model->image, address) && !image_is_code(model->image, address))
		return true;
	find(model, FOUND_USE_BYTE, record, "the byte 0x%llx of a use does not lie in data", (unsigned long long)address);
	return false;
}

static int key_of(struct model *model, uint64_t record, uint64_t ref, bool direct)
{
	struct word key = { ref, NULL };
	int choice;

	if (!direct && !image_word(model->image, ref, &key))
		key = (struct word){ 0, NULL };
	choice = choice_behind(model, &key, MODEL_KEY, NULL);
	if (choice == MODEL_NONE)
		find(model, FOUND_SITE_CHOICE, record, "the use belongs to no key");
	return choice;
}

static void use_record(struct model *model, uint64_t record)
{
	const uint8_t *bytes = image_at(model->image, record, HERE_SIZE);
	struct model_use use = { .record = record };
	uint64_t ref;
	uint32_t line;

	if (!bytes || !image_field(model->image, record, &use.address) || !image_field(model->image, record + 4, &ref))
		return;
	line = get32(bytes + HERE_LINE);
	if (line & ~(RELINK_USE_LINE | RELINK_USE_DATA)) {
		find(model, FOUND_SITE_KIND, record, "a use with unknown flags 0x%x", line & ~RELINK_USE_LINE);
		return;
	}
	use.line = line & RELINK_USE_LINE;
	use.data = (line & RELINK_USE_DATA) != 0;
	use.on = (ref & RELINK_BRANCH_TRUE_KEY) != 0;
	if (!(use.data ? lies_in_data(model, record, use.address) : lies_in_code(model, record, use.address, 1)))
		return;
	use.choice = key_of(model, record, ref & ~(uint64_t)7, (ref & RELINK_BRANCH_DIRECT) != 0);
	if (use.choice == MODEL_NONE)
		return;
	use.file = text_of(model, record, HERE_FILE, "file");
	use.function = text_of(model, record, HERE_FUNCTION, "function");
	use.text = text_of(model, record, HERE_TEXT, "text");
	model->uses = grown(model->uses, model->use_count, &model->use_capacity, sizeof(*model->uses));
	model->uses[model->use_count++] = use;
	model->choices[use.choice].uses++;
}

static int compare(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static int by_place(const void *a, const void *b)
{
	const struct model_use *x = a, *y = b;
	int r = x->file == y->file ? 0 : strncmp(x->file, y->file, PATH_LENGTH);

	r = r ? r : compare(x->line, y->line);
	r = r ? r : compare(x->address, y->address);
	return r ? r : compare(x->record, y->record);
}

static void add_sites(struct model *model)
{
	for (size_t i = 0; i < model->use_count; i++) {
		const struct model_use *u = &model->uses[i];
		uint64_t ref = 0;

		image_field(model->image, u->record + 4, &ref);
		if (!u->data)
			*add_site(model) = (struct model_site){ .address = u->address, .record = u->record, .ref = ref & ~(uint64_t)7,
								.choice = u->choice, .state = MODEL_NONE, .use = (int)i, .kind = RL_BRANCH,
								.length = model->port->length[RL_BRANCH], .flags = ref & 7 };
	}
}

/* Headers of several sections may name the same bytes: together they can't be larger than the file. */
void uses_read(struct model *model)
{
	uint64_t budget = model->image->size;

	for (size_t i = 0; i < model->image->section_count; i++) {
		const struct model_section *s = &model->image->sections[i];

		if (strcmp(s->name, "relink_use_sites") != 0 || s->size > budget)
			continue;
		budget -= s->size;
		model->has_records = true;
		if (!image_at(model->image, s->address, s->size) || s->size % HERE_SIZE) {
			find(model, FOUND_RECORD_SECTION, s->address, "the section %s is not loaded from the file, or has a wrong size", s->name);
			continue;
		}
		for (uint64_t at = 0; at < s->size && model->use_count < USES_MAX; at += HERE_SIZE)
			use_record(model, s->address + at);
	}
	if (model->use_count)
		qsort(model->uses, model->use_count, sizeof(*model->uses), by_place);
	add_sites(model);
}
