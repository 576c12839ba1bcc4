/* SPDX-License-Identifier: MIT */
/*
 * checker.h - the static checker: who writes variables that only relink's runtime may write, and where their addresses go.
 *
 * Marked variables are those in the section relink_pointers, the keys, options, numbers, calls and tables that records describe, and
 * the records. Findings are added to the models, with the numbers 4xx of tools/model/findings.h. What is looked at, and what is
 * not, is in relink-check(7).
 */
#ifndef RELINK_CHECKER_H
#define RELINK_CHECKER_H

#include "model.h"

/* Code that runs before the program's first commit, and may write. Shell patterns, beside those that are built in. */
struct checker_options {
	const char *const *init_sections;
	size_t init_section_count;
	const char *const *init_functions;
	size_t init_function_count;
};

/* Looks at all of them; what one does not define may be another's. */
void checker_run(struct model **models, size_t count, const struct checker_options *options);

/* ---- suppressions ---- */

struct suppressions;
/* NULL, and `why` has one line: the place in the file and what is wrong. */
struct suppressions *suppressions_read(const char *path, char *why, size_t size);
/* Takes out of a model's findings what a rule names. Returns how many. */
size_t suppressions_apply(struct suppressions *s, struct model *model);
/* The next rule that has suppressed nothing, from *i on; false: no more. */
bool suppressions_unused(const struct suppressions *s, size_t *i, unsigned *line, const char **text);
void suppressions_free(struct suppressions *s);

#endif
