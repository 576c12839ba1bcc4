/* SPDX-License-Identifier: MIT */
/*
 * text.h - output for people: colours on a terminal, aligned columns, and nothing that could drive a terminal: names come from
 * files that anybody may have made.
 */
#ifndef RELINK_TOOL_TEXT_H
#define RELINK_TOOL_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum colour { PLAIN, BOLD, DIM, RED, GREEN, YELLOW, BLUE, CYAN };

/* Bytes of the UTF-8 character at `s`; 0: it is none. */
size_t utf8_length(const char *s);

/* "auto", "always" or "never"; false: none of those. Auto is a terminal that knows colours, and NO_COLOR is not set. */
bool text_colours(const char *when);
/* How many columns a line has. */
unsigned text_width(void);

/* Copies with everything escaped that is not printable (\x1b). The result is to be freed. */
char *text_clean(const char *s);
/* Formats into memory that is to be freed; what %s gives is cleaned as a whole. */
char *text_format(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Columns that a string takes. */
size_t text_columns(const char *s);
void text_put(enum colour colour, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* ---- long work ---- */
/* A line on standard error if that is a terminal and the work takes longer than a moment: "relink: checking 12 of 270". */
void progress(const char *doing, size_t done, size_t all);
void progress_end(void); /* takes it away; complain does that, too */

/* ---- tables ---- */
struct table {
	size_t columns;
	struct cell { char *text; enum colour colour; } *cells;
	size_t count, capacity;
};
/* Cells come row by row. */
void table_cell(struct table *t, enum colour colour, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Empties it. */
void table_free(struct table *t);
/* Prints with `indent` blanks in front, leaves out columns that are empty below their heading, and empties the table. */
void table_print(struct table *t, unsigned indent, bool heading);

/* ---- errors ---- */
/* One line on standard error, "relink: FILE: what; remedy". */
void complain(const char *file, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
