/* SPDX-License-Identifier: MIT */
/*
 * suppress.c - findings that somebody has looked at. One rule a line: number, variable, function, file, divided by blanks; each a shell
 * pattern, those left out at the end match everything; `#` begins a comment.
 */
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

enum { FIELD_NUMBER, FIELD_VARIABLE, FIELD_FUNCTION, FIELD_FILE, FIELDS };
#define LINE_MAX_ 4096

struct suppressions {
	struct arena *arena;
	struct rule { unsigned line; const char *text, *field[FIELDS]; bool used; } *rules;
	size_t count, capacity;
};

static const char *add_rule(struct suppressions *s, char *line, unsigned number)
{
	struct rule rule = { .line = number, .text = arena_copy(s->arena, line, strlen(line)), .field = { "*", "*", "*", "*" } };
	size_t count = 0;

	for (char *state, *word = strtok_r(line, " \t\r", &state); word; word = strtok_r(NULL, " \t\r", &state)) {
		if (count == FIELDS)
			return "more than number, variable, function and file";
		rule.field[count++] = arena_copy(s->arena, word, strlen(word));
	}
	if (!count)
		return NULL;
	if (strspn(rule.field[FIELD_NUMBER], "0123456789*?[]-") != strlen(rule.field[FIELD_NUMBER]))
		return "the first word is the number of a finding, or a pattern for one: 405, 41?, *";
	s->rules = grown(s->rules, s->count, &s->capacity, sizeof(*s->rules));
	s->rules[s->count++] = rule;
	return NULL;
}

/* NULL, or what is wrong with line *number. */
static const char *read_rules(struct suppressions *s, FILE *in, unsigned *number)
{
	char line[LINE_MAX_];
	const char *why = NULL;

	while (!why && fgets(line, sizeof(line), in)) {
		size_t length = strlen(line);

		++*number;
		if (length == sizeof(line) - 1 && line[length - 1] != '\n')
			return "the line is too long";
		line[strcspn(line, "#\n")] = 0;
		why = add_rule(s, line, *number);
	}
	return why;
}

struct suppressions *suppressions_read(const char *path, char *why, size_t size)
{
	struct suppressions *s = calloc(1, sizeof(*s));
	FILE *in = fopen(path, "re");
	unsigned number = 0;
	const char *problem = NULL;

	if (!in || !s) {
		snprintf(why, size, "%s", strerror(in ? ENOMEM : errno));
	} else {
		s->arena = arena_new();
		problem = read_rules(s, in, &number);
		if (!problem && ferror(in))
			snprintf(why, size, "can't be read: %s", strerror(errno));
		else if (problem)
			snprintf(why, size, "line %u: %s", number, problem);
	}
	if (in && s && !problem && !ferror(in)) {
		fclose(in);
		return s;
	}
	if (in)
		fclose(in);
	suppressions_free(s);
	return NULL;
}

static bool matches(const char *pattern, const char *text)
{
	return !strcmp(pattern, "*") || (text && !fnmatch(pattern, text, 0));
}

/* The source file by its whole path, or by its last part. */
static bool matches_file(const char *pattern, const char *file)
{
	const char *slash = file ? strrchr(file, '/') : NULL;

	return matches(pattern, file) || (slash && matches(pattern, slash + 1));
}

static bool is_suppressed(struct suppressions *s, struct model *model, const struct model_finding *f)
{
	const char *function = NULL, *file = NULL;
	uint64_t offset, size;
	char number[16];
	bool found = false;
	int line;

	if (!model_symbol_at(model, f->address, &function, &offset, &size))
		function = NULL;
	if (!model_line_at(model, f->address, &file, &line))
		file = NULL;
	snprintf(number, sizeof(number), "%d", f->number);
	for (size_t i = 0; i < s->count; i++) {
		struct rule *r = &s->rules[i];

		if (matches(r->field[FIELD_NUMBER], number) && matches(r->field[FIELD_VARIABLE], f->variable) &&
		    matches(r->field[FIELD_FUNCTION], function) && matches_file(r->field[FIELD_FILE], file ? file : model->path))
			found = r->used = true;
	}
	return found;
}

size_t suppressions_apply(struct suppressions *s, struct model *model)
{
	size_t kept = 0, count = model->finding_count;

	for (size_t i = 0; i < count; i++)
		if (!is_suppressed(s, model, &model->findings[i]))
			model->findings[kept++] = model->findings[i];
	model->finding_count = kept;
	return count - kept;
}

bool suppressions_unused(const struct suppressions *s, size_t *i, unsigned *line, const char **text)
{
	for (; *i < s->count; ++*i)
		if (!s->rules[*i].used) {
			*line = s->rules[*i].line;
			*text = s->rules[*i].text;
			++*i;
			return true;
		}
	return false;
}

void suppressions_free(struct suppressions *s)
{
	if (!s)
		return;
	if (s->arena)
		arena_free(s->arena);
	free(s->rules);
	free(s);
}
