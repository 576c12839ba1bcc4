/* SPDX-License-Identifier: MIT */
/* command.c - what requests do. Every command says when it begins, what it was given, why it refuses and how it ends. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "engine.h"

struct call {
	struct table *table;
	const struct request *request;
	char *reply;
	size_t room, length;
};

static void answer(struct call *c, const char *a, const char *b)
{
	size_t n = strlen(a), m = strlen(b);

	command_dbg("answer %s%s", a, b);
	if (n + m >= c->room) {
		command_dbg("an answer of %zu characters is cut to %zu", n + m, c->room - 1);
		m = n < c->room ? c->room - 1 - n : 0;
	}
	memcpy(c->reply, a, n);
	memcpy(c->reply + n, b, m);
	c->length = n + m;
}

static void answer_number(struct call *c, long n)
{
	char text[32];

	snprintf(text, sizeof(text), "%ld", n);
	command_dbg("a number to answer: %ld", n);
	answer(c, text, "");
}

/*
 * A command: `words` it takes at least; E(name) finds the entry or refuses. Each has log statements of its own: the function tells
 * them apart.
 */
#define COMMAND(name, least) \
	static void run_##name(struct call *c, const char *key, const char *value); \
	static void command_##name(struct call *c) \
	{ \
		const struct request *r = c->request; \
		\
		command_dbg(#name ": %u words", r->words); \
		if (r->words < (least)) { \
			command_dbg(#name ": too few words"); \
			answer(c, "ERROR too few words for ", #name); \
			return; \
		} \
		run_##name(c, r->words > 1 ? r->word[1] : "", r->words > 2 ? r->word[2] : ""); \
		command_dbg(#name ": done, %zu entries are there", c->table->count); \
	} \
	static void run_##name(struct call *c, const char *key, const char *value)
#define UNUSED(x) ((void)(x))

/* Finds the entry, or answers that there is none. */
#define FIND(e, name) \
	struct entry *e = ENGINE(table_find)(c->table, key); \
	if (!e) { \
		command_dbg(name ": there is no '%s'", key); \
		answer(c, "NONE", ""); \
		return; \
	} \
	command_dbg(name ": '%s' is '%s'", key, (e)->value)
#define MAKE(e, name) \
	struct entry *e = ENGINE(table_make)(c->table, key); \
	if (!e) { \
		command_dbg(name ": no memory for '%s'", key); \
		answer(c, "ERROR no memory", ""); \
		return; \
	} \
	command_dbg(name ": '%s' was '%s'", key, (e)->value)

COMMAND(ping, 1)
{
	UNUSED(key), UNUSED(value);
	command_dbg("somebody asks whether we live");
	answer(c, "PONG", "");
}

COMMAND(echo, 2)
{
	UNUSED(value);
	command_dbg("an echo of '%s'", key);
	answer(c, key, "");
}

COMMAND(get, 2)
{
	FIND(e, "get");
	UNUSED(value);
	answer(c, e->value, "");
}

COMMAND(set, 3)
{
	MAKE(e, "set");
	command_dbg("set: '%s' becomes '%s'", key, value);
	strcpy(e->value, value);
	answer(c, "OK", "");
}

COMMAND(add, 3)
{
	if (ENGINE(table_find)(c->table, key)) {
		command_dbg("add: '%s' is there already", key);
		answer(c, "EXISTS", "");
		return;
	}
	MAKE(e, "add");
	strcpy(e->value, value);
	answer(c, "OK", "");
}

COMMAND(replace, 3)
{
	FIND(e, "replace");
	command_dbg("replace: '%s' for '%s'", value, e->value);
	strcpy(e->value, value);
	answer(c, "OK", "");
}

COMMAND(swap, 3)
{
	char old[VALUE_MAX_];

	FIND(e, "swap");
	strcpy(old, e->value);
	command_dbg("swap: '%s' comes, '%s' goes", value, old);
	strcpy(e->value, value);
	answer(c, old, "");
}

COMMAND(append, 3)
{
	MAKE(e, "append");
	if (strlen(e->value) + strlen(value) >= VALUE_MAX_) {
		command_dbg("append: '%s' and '%s' are too long together", e->value, value);
		answer(c, "ERROR too long", "");
		return;
	}
	strcat(e->value, value);
	command_dbg("append: '%s'", e->value);
	answer(c, e->value, "");
}

COMMAND(delete, 2)
{
	UNUSED(value);
	if (ENGINE(table_remove)(c->table, key)) {
		command_dbg("delete: '%s' is gone", key);
		answer(c, "OK", "");
	} else {
		command_dbg("delete: there is no '%s'", key);
		answer(c, "NONE", "");
	}
}

COMMAND(length, 2)
{
	FIND(e, "length");
	UNUSED(value);
	answer_number(c, (long)strlen(e->value));
}

COMMAND(has, 2)
{
	UNUSED(value);
	answer_number(c, ENGINE(table_find)(c->table, key) != NULL);
}

COMMAND(count, 1)
{
	UNUSED(key), UNUSED(value);
	command_dbg("count: %zu", c->table->count);
	answer_number(c, (long)c->table->count);
}

static void change(struct call *c, const char *key, const char *by, int sign)
{
	long n = 0, d = 1;

	MAKE(e, "change");
	if (*by && !ENGINE(parse_number)(by, &d)) {
		command_dbg("change: by '%s', which is no number", by);
		answer(c, "ERROR no number", "");
		return;
	}
	if (*e->value && !ENGINE(parse_number)(e->value, &n)) {
		command_dbg("change: '%s' holds '%s', which is no number", key, e->value);
		answer(c, "ERROR no number", "");
		return;
	}
	command_dbg("change: %ld by %ld", n, sign * d);
	snprintf(e->value, sizeof(e->value), "%ld", n + sign * d);
	answer(c, e->value, "");
}

COMMAND(up, 2)
{
	command_dbg("up: '%s' by '%s'", key, value);
	change(c, key, value, 1);
}

COMMAND(down, 2)
{
	command_dbg("down: '%s' by '%s'", key, value);
	change(c, key, value, -1);
}

static void map_value(struct call *c, const char *key, int (*map)(int))
{
	FIND(e, "map");
	for (char *p = e->value; *p; p++)
		*p = (char)map((unsigned char)*p);
	command_dbg("map: '%s' is '%s' now", key, e->value);
	answer(c, e->value, "");
}

COMMAND(upper, 2)
{
	UNUSED(value);
	command_dbg("upper: '%s'", key);
	map_value(c, key, toupper);
}

COMMAND(lower, 2)
{
	UNUSED(value);
	command_dbg("lower: '%s'", key);
	map_value(c, key, tolower);
}

COMMAND(reverse, 2)
{
	FIND(e, "reverse");
	UNUSED(value);
	for (size_t i = 0, n = strlen(e->value); i < n / 2; i++) {
		char swap = e->value[i];

		e->value[i] = e->value[n - 1 - i];
		e->value[n - 1 - i] = swap;
	}
	command_dbg("reverse: '%s'", e->value);
	answer(c, e->value, "");
}

COMMAND(copy, 3)
{
	FIND(from, "copy");
	struct entry *to = ENGINE(table_make)(c->table, value);

	if (!to) {
		command_dbg("copy: no memory for '%s'", value);
		answer(c, "ERROR no memory", "");
		return;
	}
	command_dbg("copy: '%s' to '%s'", key, value);
	strcpy(to->value, from->value);
	answer(c, "OK", "");
}

COMMAND(same, 3)
{
	FIND(e, "same");
	answer_number(c, !strcmp(e->value, value));
}

COMMAND(starts, 3)
{
	FIND(e, "starts");
	answer_number(c, !strncmp(e->value, value, strlen(value)));
}

COMMAND(ends, 3)
{
	size_t n = strlen(value), m;

	FIND(e, "ends");
	m = strlen(e->value);
	command_dbg("ends: %zu of %zu characters", n, m);
	answer_number(c, n <= m && !strcmp(e->value + m - n, value));
}

COMMAND(rename, 3)
{
	FIND(from, "rename");
	struct entry *to = ENGINE(table_make)(c->table, value);

	if (!to) {
		command_dbg("rename: no memory for '%s'", value);
		answer(c, "ERROR no memory", "");
		return;
	}
	if (to == from) {
		command_dbg("rename: '%s' is its own name", key);
		answer(c, "OK", "");
		return;
	}
	strcpy(to->value, from->value);
	ENGINE(table_remove)(c->table, key);
	command_dbg("rename: '%s' is '%s' now", key, value);
	answer(c, "OK", "");
}

/* The number that is kept is the smaller or the larger one. */
static void keep(struct call *c, const char *key, const char *value, int larger)
{
	long have, given;

	FIND(e, "keep");
	if (!ENGINE(parse_number)(value, &given) || !ENGINE(parse_number)(e->value, &have)) {
		command_dbg("keep: '%s' or '%s' is no number", value, e->value);
		answer(c, "ERROR no number", "");
		return;
	}
	if (larger ? given > have : given < have) {
		command_dbg("keep: %ld instead of %ld", given, have);
		strcpy(e->value, value);
	} else {
		command_dbg("keep: %ld stays, %ld does not count", have, given);
	}
	answer(c, e->value, "");
}

COMMAND(least, 3)
{
	command_dbg("least: '%s' and '%s'", key, value);
	keep(c, key, value, 0);
}

COMMAND(most, 3)
{
	command_dbg("most: '%s' and '%s'", key, value);
	keep(c, key, value, 1);
}

COMMAND(empty, 2)
{
	MAKE(e, "empty");
	UNUSED(value);
	command_dbg("empty: '%s' loses '%s'", key, e->value);
	*e->value = 0;
	answer(c, "OK", "");
}

COMMAND(first, 2)
{
	FIND(e, "first");
	UNUSED(value);
	if (!*e->value) {
		command_dbg("first: '%s' is empty", key);
		answer(c, "", "");
		return;
	}
	answer(c, (char[2]){ e->value[0], 0 }, "");
}

static const struct {
	const char *name;
	void (*run)(struct call *c);
} commands[] = {
#define ENTRY(name) { #name, command_##name }
	ENTRY(get), ENTRY(set), ENTRY(up), ENTRY(down), ENTRY(ping), ENTRY(echo), ENTRY(add), ENTRY(replace), ENTRY(swap), ENTRY(append),
	ENTRY(delete), ENTRY(length), ENTRY(has), ENTRY(count), ENTRY(upper), ENTRY(lower), ENTRY(reverse), ENTRY(copy), ENTRY(same),
	ENTRY(starts), ENTRY(ends), ENTRY(rename), ENTRY(least), ENTRY(most), ENTRY(empty), ENTRY(first),
};

size_t ENGINE(engine_execute)(struct table *t, const char *line, size_t length, char *reply, size_t room)
{
	struct request r;
	struct call c = { t, &r, reply, room, 0 };
	const char *wrong = ENGINE(parse)(line, length, &r);

	if (wrong) {
		command_dbg("refused: %s", wrong);
		answer(&c, "ERROR ", wrong);
		return c.length;
	}
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		if (!strcmp(commands[i].name, r.word[0])) {
			command_dbg("command %zu, %s", i, r.word[0]);
			commands[i].run(&c);
			return c.length;
		}
	command_dbg("there is no command '%s'", r.word[0]);
	answer(&c, "ERROR no command ", r.word[0]);
	return c.length;
}
