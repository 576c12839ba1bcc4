/* SPDX-License-Identifier: MIT */
/* text.c - see text.h. */
#include "text.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

static bool colours;

static void *checked(void *p)
{
	if (p)
		return p;
	fputs("relink: out of memory\n", stderr);
	exit(2);
}

/* ---- characters ---- */

size_t utf8_length(const char *s)
{
	const unsigned char *p = (const unsigned char *)s;
	size_t more = p[0] < 0x80 ? 0 : p[0] >= 0xc2 && p[0] < 0xe0 ? 1 : (p[0] & 0xf0) == 0xe0 ? 2 : p[0] >= 0xf0 && p[0] < 0xf5 ? 3 : 9;

	if (!p[0] || more == 9)
		return 0;
	for (size_t i = 1; i <= more; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	/* too long for what they say, halves of pairs, and beyond the last */
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) || (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
		return 0;
	return more + 1;
}

/* Control characters of the second kind are two bytes, c2 80 to c2 9f. */
static bool is_printable(const char *s, size_t length)
{
	if (length == 1)
		return (unsigned char)*s >= 0x20 && *s != 0x7f;
	return length > 1 && !((unsigned char)s[0] == 0xc2 && (unsigned char)s[1] < 0xa0);
}

char *text_clean(const char *s)
{
	char *clean = checked(malloc(4 * strlen(s) + 1)), *to = clean;

	while (*s) {
		size_t length = utf8_length(s);

		if (is_printable(s, length)) {
			memcpy(to, s, length);
			to += length;
			s += length;
		} else {
			to += *s == '\n' ? sprintf(to, "\\n") : *s == '\t' ? sprintf(to, "\\t") : sprintf(to, "\\x%02x", (unsigned char)*s);
			s++;
		}
	}
	*to = '\0';
	return clean;
}

size_t text_columns(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

static char *format_list(const char *format, va_list args)
{
	char *raw = NULL, *clean;

	if (vasprintf(&raw, format, args) < 0)
		checked(NULL);
	clean = text_clean(raw);
	free(raw);
	return clean;
}

char *text_format(const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	text = format_list(format, args);
	va_end(args);
	return text;
}

/* ---- colours ---- */

bool text_colours(const char *when)
{
	const char *none = getenv("NO_COLOR"), *terminal = getenv("TERM");

	if (!strcmp(when, "always"))
		colours = true;
	else if (!strcmp(when, "never"))
		colours = false;
	else if (!strcmp(when, "auto"))
		colours = isatty(STDOUT_FILENO) && !(none && *none) && terminal && strcmp(terminal, "dumb") != 0;
	else
		return false;
	return true;
}

unsigned text_width(void)
{
	const char *columns = getenv("COLUMNS");
	struct winsize size;
	int n = columns ? atoi(columns) : 0;

	if (n <= 0 && !ioctl(STDOUT_FILENO, TIOCGWINSZ, &size))
		n = size.ws_col;
	return n >= 20 && n <= 10000 ? (unsigned)n : 120;
}

static void put(enum colour colour, const char *text)
{
	static const char *const codes[] = { "", "1", "2", "31", "32", "33", "34", "36" };

	if (colours && colour != PLAIN)
		printf("\033[%sm%s\033[0m", codes[colour], text);
	else
		fputs(text, stdout);
}

void text_put(enum colour colour, const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	text = format_list(format, args);
	va_end(args);
	put(colour, text);
	free(text);
}

/* ---- long work ---- */

#define MOMENT_MS 700
#define REFRESH_MS 100

static struct {
	uint64_t begun, shown; /* ms; 0: not yet */
	bool is_there;
} line;

static uint64_t now_ms(void)
{
	struct timespec t = { 0, 0 };

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000 + 1;
}

void progress(const char *doing, size_t done, size_t all)
{
	uint64_t now;

	if (all < 2 || !isatty(STDERR_FILENO))
		return;
	now = now_ms();
	if (!line.begun)
		line.begun = now;
	if (now - line.begun < MOMENT_MS || (line.is_there && now - line.shown < REFRESH_MS))
		return;
	fprintf(stderr, "\rrelink: %s %zu of %zu\033[K", doing, done + 1, all);
	line.shown = now;
	line.is_there = true;
}

void progress_end(void)
{
	if (line.is_there)
		fputs("\r\033[K", stderr);
	line.is_there = false;
}

/* ---- tables ---- */

void table_cell(struct table *t, enum colour colour, const char *format, ...)
{
	va_list args;

	if (t->count == t->capacity) {
		t->capacity = t->capacity ? 2 * t->capacity : 64;
		t->cells = checked(realloc(t->cells, t->capacity * sizeof(*t->cells)));
	}
	va_start(args, format);
	t->cells[t->count++] = (struct cell){ format_list(format, args), colour };
	va_end(args);
}

static size_t width_of(const struct table *t, size_t column, bool heading)
{
	size_t width = 0, n;
	bool filled = false;

	for (size_t i = column; i < t->count; i += t->columns) {
		n = text_columns(t->cells[i].text);
		filled |= n && (!heading || i >= t->columns);
		width = n > width ? n : width;
	}
	return filled ? width : 0;
}

static void print_row(const struct table *t, size_t row, const size_t *widths, unsigned indent)
{
	size_t gap = indent;

	for (size_t i = 0; i < t->columns; i++) {
		const struct cell *cell = &t->cells[row * t->columns + i];

		if (!widths[i])
			continue;
		if (*cell->text) {
			printf("%*s", (int)gap, "");
			put(cell->colour, cell->text);
			gap = 0;
		}
		gap += widths[i] - text_columns(cell->text) + 2;
	}
	putchar('\n');
}

void table_free(struct table *t)
{
	for (size_t i = 0; i < t->count; i++)
		free(t->cells[i].text);
	free(t->cells);
	*t = (struct table){ .columns = t->columns };
}

void table_print(struct table *t, unsigned indent, bool heading)
{
	size_t *widths = checked(calloc(t->columns, sizeof(*widths)));

	for (size_t i = 0; i < t->columns; i++)
		widths[i] = width_of(t, i, heading);
	for (size_t row = 0; row < t->count / t->columns; row++)
		print_row(t, row, widths, indent);
	free(widths);
	table_free(t);
}

/* ---- errors ---- */

void complain(const char *file, const char *format, ...)
{
	va_list args;
	char *text, *name = file ? text_clean(file) : NULL;

	va_start(args, format);
	text = format_list(format, args);
	va_end(args);
	fflush(stdout);
	progress_end();
	fprintf(stderr, "relink: %s%s%s\n", name ? name : "", name ? ": " : "", text);
	free(text);
	free(name);
}
