/* SPDX-License-Identifier: MIT */
/* parse.c - a line becomes words: separated by blanks, or in quotes. */
#include <limits.h>
#include <string.h>

#include "engine.h"

static int is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static char *skip_blanks(char *p)
{
	char *start = p;

	while (is_blank(*p))
		p++;
	if (p != start)
		parse_dbg("%d blanks are skipped", (int)(p - start));
	return p;
}

static char *parse_quoted(char *p, const char **word)
{
	char *end;

	parse_dbg("a quote opens");
	*word = ++p;
	end = strchr(p, '"');
	if (!end) {
		parse_dbg("the quote is not closed: %s", p);
		return NULL;
	}
	parse_dbg("a quoted word of %d characters", (int)(end - p));
	return end;
}

static char *parse_bare(char *p, const char **word)
{
	*word = p;
	while (*p && !is_blank(*p))
		p++;
	parse_dbg("a bare word of %d characters", (int)(p - *word));
	return p;
}

static const char *check_length(const struct request *r)
{
	for (unsigned i = 1; i < r->words; i++) {
		size_t n = strlen(r->word[i]), most = i == 1 ? NAME_MAX_ : VALUE_MAX_;

		parse_dbg("word %u has %zu of %zu characters", i, n, most - 1);
		if (n >= most) {
			parse_dbg("word %u is too long", i);
			return i == 1 ? "a name that is too long" : "a value that is too long";
		}
	}
	return NULL;
}

const char *ENGINE(parse)(const char *line, size_t length, struct request *r)
{
	char *p = r->text;

	parse_dbg("a line of %zu characters", length);
	r->words = 0;
	if (length >= sizeof(r->text)) {
		parse_dbg("%zu characters are more than %zu", length, sizeof(r->text) - 1);
		return "a line that is too long";
	}
	memcpy(r->text, line, length);
	r->text[length] = 0;
	for (p = skip_blanks(p); *p; p = skip_blanks(p)) {
		if (r->words == WORDS_MAX) {
			parse_dbg("more than %d words: %s", WORDS_MAX, p);
			return "too many words";
		}
		p = *p == '"' ? parse_quoted(p, &r->word[r->words]) : parse_bare(p, &r->word[r->words]);
		if (!p)
			return "a quote that is not closed";
		if (*p)
			*p++ = 0;
		parse_dbg("word %u is '%s'", r->words, r->word[r->words]);
		r->words++;
	}
	if (!r->words) {
		parse_dbg("an empty line");
		return "an empty line";
	}
	parse_dbg("%u words", r->words);
	return check_length(r);
}

int ENGINE(parse_number)(const char *text, long *n)
{
	const char *p = text;
	long v = 0;

	parse_dbg("number '%s'", text);
	p += *p == '-';
	for (; *p >= '0' && *p <= '9' && v < LONG_MAX / 20; p++)
		v = 10 * v + (*p - '0');
	*n = *text == '-' ? -v : v;
	if (*p || p == text) {
		parse_dbg("'%s' is no number, or too large", text);
		return 0;
	}
	parse_dbg("number %ld", *n);
	return 1;
}
