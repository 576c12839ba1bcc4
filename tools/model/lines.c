/* SPDX-License-Identifier: MIT */
/*
 * lines.c - source lines of addresses, by libdw. Nothing is read before the first question; then the ranges of all units, since
 * not every compiler leaves a table of them; a unit's lines when one of its addresses is asked for.
 */
#include "internal.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define RANGES_MAX 4000000

struct range {
	uint64_t start, stop;
	Dwarf_Off unit;
};

struct lines {
	Dwarf *dwarf;
	struct range *ranges; /* by start */
	size_t count, capacity;
};

static void add_range(struct lines *l, Dwarf_Addr start, Dwarf_Addr stop, Dwarf_Off unit)
{
	if (start >= stop || l->count >= RANGES_MAX)
		return;
	l->ranges = grown(l->ranges, l->count, &l->capacity, sizeof(*l->ranges));
	l->ranges[l->count++] = (struct range){ start, stop, unit };
}

static void read_unit(struct lines *l, Dwarf_Off unit)
{
	Dwarf_Addr base, start, stop;
	ptrdiff_t at = 0;
	Dwarf_Die die;

	if (!dwarf_offdie(l->dwarf, unit, &die))
		return;
	while ((at = dwarf_ranges(&die, at, &base, &start, &stop)) > 0 && l->count < RANGES_MAX)
		add_range(l, start, stop, unit);
}

static int by_start(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

static void read_ranges(struct lines *l)
{
	Dwarf_Off at = 0, next;
	size_t header;

	while (!dwarf_nextcu(l->dwarf, at, &next, &header, NULL, NULL, NULL) && next > at) {
		read_unit(l, at + header);
		at = next;
	}
	if (l->count)
		qsort(l->ranges, l->count, sizeof(*l->ranges), by_start);
}

static struct lines *open_lines(struct model *model)
{
	struct lines *l = arena_take(model->arena, sizeof(*l));

	l->dwarf = dwarf_begin_elf(model->image->elf, DWARF_C_READ, NULL);
	if (l->dwarf)
		read_ranges(l);
	return l;
}

static const struct range *range_of(const struct lines *l, uint64_t address)
{
	size_t low = 0, high = l->count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (l->ranges[middle].start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low && address < l->ranges[low - 1].stop ? &l->ranges[low - 1] : NULL;
}

/* Inlined from there is what macros need; the user's line is where it was inlined to. */
static bool is_plumbing(const char *file)
{
	return strstr(file, "/relink/detail/") != NULL;
}

static bool call_site(Dwarf_Die *unit, Dwarf_Die *inlined, const char **file, int *line)
{
	Dwarf_Attribute attribute;
	Dwarf_Word index, number;
	Dwarf_Files *files;
	size_t count;

	if (dwarf_formudata(dwarf_attr(inlined, DW_AT_call_file, &attribute), &index) ||
	    dwarf_formudata(dwarf_attr(inlined, DW_AT_call_line, &attribute), &number) || dwarf_getsrcfiles(unit, &files, &count) ||
	    index >= count || !number || number > INT_MAX)
		return false;
	*file = dwarf_filesrc(files, (size_t)index, NULL, NULL);
	*line = (int)number;
	return *file != NULL;
}

/* Goes outwards until the line is nobody's plumbing; if there is no such, the innermost one stays. */
static void leave_plumbing(Dwarf_Die *unit, uint64_t address, const char **file, int *line)
{
	Dwarf_Die *scopes = NULL;
	int count = dwarf_getscopes(unit, address, &scopes);

	for (int i = 0; i < count; i++) {
		const char *outer;
		int outer_line;

		if (dwarf_tag(&scopes[i]) != DW_TAG_inlined_subroutine || !call_site(unit, &scopes[i], &outer, &outer_line) || is_plumbing(outer))
			continue;
		*file = outer;
		*line = outer_line;
		break;
	}
	free(scopes);
}

bool model_line_at(struct model *model, uint64_t address, const char **file, int *line)
{
	const struct range *r;
	Dwarf_Line *found;
	Dwarf_Die die;

	if (!model->lines)
		model->lines = open_lines(model);
	r = model->lines->dwarf ? range_of(model->lines, address) : NULL;
	if (!r || !dwarf_offdie(model->lines->dwarf, r->unit, &die))
		return false;
	found = dwarf_getsrc_die(&die, address);
	if (!found || dwarf_lineno(found, line) || *line <= 0)
		return false;
	*file = dwarf_linesrc(found, NULL, NULL);
	if (*file && is_plumbing(*file))
		leave_plumbing(&die, address, file, line);
	return *file != NULL;
}

bool model_is_void(struct model *model, uint64_t function)
{
	Dwarf_Die unit, *scopes = NULL;
	Dwarf_Attribute type;
	const struct range *r;
	bool is_void = false;
	int count;

	if (!model->lines)
		model->lines = open_lines(model);
	r = model->lines->dwarf ? range_of(model->lines, function) : NULL;
	if (!r || !dwarf_offdie(model->lines->dwarf, r->unit, &unit))
		return false;
	count = dwarf_getscopes(&unit, function, &scopes);
	for (int i = 0; i < count; i++)
		if (dwarf_tag(&scopes[i]) == DW_TAG_subprogram)
			is_void = !dwarf_attr_integrate(&scopes[i], DW_AT_type, &type);
	free(scopes);
	return is_void;
}

void lines_free(struct lines *l)
{
	if (!l)
		return;
	dwarf_end(l->dwarf);
	free(l->ranges);
}
