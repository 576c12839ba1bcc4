/* SPDX-License-Identifier: MIT */
/* findings.c - keeps what is wrong with a file's records. */
#include <stdarg.h>
#include <stdio.h>

#include "internal.h"

#define MOST 1000

static void add(struct model *model, int number, uint64_t address, const char *variable, const char *format, va_list args)
{
	char line[400];

	if (model->finding_count >= MOST) {
		model->findings_lost++;
		return;
	}
	vsnprintf(line, sizeof(line), format, args);
	model->findings = grown(model->findings, model->finding_count, &model->finding_capacity, sizeof(*model->findings));
	model->findings[model->finding_count++] = (struct model_finding){
		number, address, arena_format(model->arena, "%s", line), variable ? arena_format(model->arena, "%s", variable) : NULL };
}

void find(struct model *model, int number, uint64_t address, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add(model, number, address, NULL, format, args);
	va_end(args);
}

void find_about(struct model *model, int number, uint64_t address, const char *variable, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add(model, number, address, variable, format, args);
	va_end(args);
}

static const struct { int number; const char *name; } names[] = {
	{ FOUND_RECORD_SIZE, "impossible size of a record" }, { FOUND_RECORD_NAME, "record without a name" },
	{ FOUND_RECORD_OBJECT, "record of something that is missing" }, { FOUND_RECORD_STATES, "states missing or too many" },
	{ FOUND_RECORD_TABLE, "table and members don't fit" }, { FOUND_RECORD_SECTION, "section of records not loaded or cut" },
	{ FOUND_TRAMPOLINE, "trampoline missing or folded" }, { FOUND_ABI, "another version of relink" },
	{ FOUND_POINTER_RECORD, "record of what is no marked pointer" }, { FOUND_POINTER_PAGES, "pointers share a page with other data" },
	{ FOUND_POINTER_COPIED, "pointer copied into the program" },
	{ FOUND_SITE_OUTSIDE, "site outside of code" }, { FOUND_SITE_CHOICE, "site without a choice" },
	{ FOUND_SITE_KIND, "unknown kind or impossible length of a site" }, { FOUND_SITE_ARMS, "unreadable arms" },
	{ FOUND_SITE_USE, "unreadable sequence" }, { FOUND_USE_TEXT, "unreadable place of a use" },
	{ FOUND_USE_BYTE, "byte of a use not in data" }, { FOUND_BOUNDARY, "site not at an instruction's boundary" },
	{ FOUND_BYTES, "wrong instruction at a site" }, { FOUND_BORN, "site does not express the default" },
	{ FOUND_OVERLAP, "overlapping sites" }, { FOUND_JUMP_INTO, "jump into the middle of a site" },
	{ FOUND_OPERAND, "impossible register of an operand" }, { FOUND_ARM_CODE, "arm or template does not fit the site" },
	{ FOUND_RANGE, "target out of reach or not code" }, { FOUND_NUMBER_ALIGN, "number not in one aligned word" },
	{ FOUND_RELOCS, "broken sections of kept relocations" }, { FOUND_INDEX, "index broken or about other code" },
	{ FOUND_STORE, "store to a marked variable" }, { FOUND_UPDATE, "read-modify-write of a marked variable" },
	{ FOUND_VECTOR, "vector store to a marked variable" }, { FOUND_COPY, "memory function writes a marked variable" },
	{ FOUND_THROUGH, "store to a marked variable through a register" },
	{ FOUND_LATE, "start-up code writes a marked variable behind a commit" },
	{ FOUND_PASSED, "address of a marked variable passed on" }, { FOUND_KEPT, "address of a marked variable stored" },
	{ FOUND_RETURNED, "address of a marked variable returned" }, { FOUND_DATA, "address of a marked variable in data" },
	{ FOUND_UNSEEN, "reference to a marked variable that can't be judged" }, { FOUND_UNUSED, "suppression that suppresses nothing" },
};

const char *model_finding_name(int number)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (names[i].number == number)
			return names[i].name;
	return NULL;
}

bool model_finding_is_error(int number)
{
	return number != FOUND_NUMBER_ALIGN && number != FOUND_POINTER_PAGES && number != FOUND_POINTER_COPIED && number < FOUND_PASSED;
}
