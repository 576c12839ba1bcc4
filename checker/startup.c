/* SPDX-License-Identifier: MIT */
/* startup.c - which functions run before the program's first commit, and may assign. */
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

static const char *const sections[] = { "relink_init_code", ".init.text*", ".text.startup*", ".init" };
/* main, and what C++ compilers make of initialisers; those that are not in .init_array themselves are called from there. */
static const char *const functions[] = { "main", "_GLOBAL__sub_I_*", "_Z*__static_initialization_and_destruction_0*",
					 "__cxx_global_var_init*" };
static const char *const arrays[] = { ".init_array*", ".preinit_array*", ".ctors*" };

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static bool matches(const char *name, const char *const *patterns, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!fnmatch(patterns[i], name, 0))
			return true;
	return false;
}

void start_up_read(struct subject *s)
{
	const struct image *image = s->model->image;
	struct word word;

	for (size_t i = 0; i < image->section_count; i++) {
		const struct model_section *section = &image->sections[i];

		if (!matches(section->name, arrays, COUNT(arrays)))
			continue;
		for (uint64_t at = 0; section->size - at >= 8 && image_word(image, section->address + at, &word); at += 8) {
			s->start_up = grown(s->start_up, s->start_up_count, &s->start_up_capacity, sizeof(*s->start_up));
			s->start_up[s->start_up_count++] = word.symbol ? 0 : word.value;
		}
	}
	if (s->start_up_count)
		qsort(s->start_up, s->start_up_count, sizeof(*s->start_up), by_number);
}

static const char *section_at(const struct image *image, uint64_t address)
{
	for (size_t i = 0; i < image->section_count; i++)
		if (address - image->sections[i].address < image->sections[i].size)
			return image->sections[i].name;
	return "";
}

bool is_start_up(const struct subject *s, uint64_t function, const char *name)
{
	const struct checker_options *o = s->options;
	const char *section = section_at(s->model->image, function);
	size_t index;

	if (is_number_in(s->start_up, s->start_up_count, function, &index))
		return true;
	if (matches(section, sections, COUNT(sections)) || matches(section, o->init_sections, o->init_section_count))
		return true;
	return name && (matches(name, functions, COUNT(functions)) || matches(name, o->init_functions, o->init_function_count));
}
