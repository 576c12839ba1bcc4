/* SPDX-License-Identifier: MIT */
/* code.h - the instructions of a site and around it, as linked and in every form. */
#ifndef RELINK_TOOL_CODE_H
#define RELINK_TOOL_CODE_H

#include "disasm.h"
#include "relink.h"

#define CODE_MAX 320 /* bytes: a site, and what is left of its first and last instruction */

struct line {
	uint64_t address;
	uint8_t length;
	uint8_t bytes[15];
	char *text;
};

struct lines_of_code {
	struct line *lines;
	size_t count, capacity;
};

/* Forms that have the same bytes are one. */
struct form {
	char *label; /* "as linked, off" */
	bool known;
	char *note;  /* or NULL */
	uint8_t length;
	uint8_t bytes[MODEL_BYTES_MAX];
	struct lines_of_code code;
};

struct view {
	const struct model_site *site;
	uint64_t start, stop; /* whole instructions that the site has bytes of */
	struct lines_of_code before, after;
	struct form *forms;
	size_t count, capacity;
};

/* `context`: how many instructions in front and behind. */
void view_of(struct model *model, const struct model_site *site, unsigned context, struct view *view);
void view_free(struct view *view);
/* What a form is called: a state, an arm's condition, "as linked"; to be freed. */
char *form_label(const struct model *model, const struct model_site *site, const struct model_form *form);

#endif
