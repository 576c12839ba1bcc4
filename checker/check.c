/* SPDX-License-Identifier: MIT */
/* check.c - the static checker: files, and the functions in them. */
#include <stdlib.h>

#include "internal.h"

bool is_outside(const struct model *model, uint64_t address)
{
	return address >= model->outside_start && address < model->outside_stop;
}

static void check_code(struct subject *s)
{
	uint64_t checked = 0, offset;
	struct function f = { 0 };

	for (size_t i = 0; each_function(s->model, &i, &f.start, &f.size);) {
		uint64_t whole;

		if (f.start < checked || is_outside(s->model, f.start)) /* another name, or a label inside */
			continue;
		if (!model_symbol_at(s->model, f.start, &f.name, &offset, &whole))
			f.name = NULL;
		f.start_up = is_start_up(s, f.start, f.name);
		check_function(s, &f);
		checked = f.start + f.size;
	}
}

/* Without symbols every section of code is one function. */
static void check_sections(struct subject *s)
{
	const struct image *image = s->model->image;

	for (size_t i = 0; i < image->section_count; i++) {
		struct function f = { image->sections[i].address, image->sections[i].size, NULL, false };

		if (!image->sections[i].code || !f.size)
			continue;
		f.start_up = is_start_up(s, f.start, NULL);
		check_function(s, &f);
	}
}

static bool has_functions(const struct model *model)
{
	uint64_t start, size;
	size_t i = 0;

	return each_function(model, &i, &start, &size);
}

static void check_one(struct subject *s)
{
	if (!s->marked_count)
		return;
	references_read(s);
	start_up_read(s);
	if (has_functions(s->model))
		check_code(s);
	else
		check_sections(s);
	check_data(s);
	check_unseen(s);
}

void checker_run(struct model **models, size_t count, const struct checker_options *options)
{
	struct subject *subjects = calloc(count + 1, sizeof(*subjects));
	struct exports exports = { 0 };

	if (!subjects)
		return;
	for (size_t i = 0; i < count; i++) {
		subjects[i].model = models[i];
		subjects[i].options = options;
		marked_read(&subjects[i]);
	}
	exports_read(&exports, subjects, count);
	for (size_t i = 0; i < count; i++)
		marked_connect(&subjects[i], &exports);
	exports_free(&exports);
	for (size_t i = 0; i < count; i++) {
		check_one(&subjects[i]);
		marked_free(&subjects[i]);
	}
	free(subjects);
}
