/* SPDX-License-Identifier: MIT */
/* agent_list.c - relink list PID: choices and uses of a running process, as its agent tells them. */
#include "agent_list.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"

struct listing {
	const struct process_view *view;
	struct json *json; /* NULL: text */
	struct table table;
};

/* ---- filters ---- */

static bool is_named(const struct process_view *v, const char *name, const char *module)
{
	char *full = text_format("%s:%s", module, name);
	bool found = !v->choice_count;

	for (size_t i = 0; i < v->choice_count && !found; i++)
		found = !strcmp(v->choices[i], name) || !fnmatch(v->choices[i], name, 0) || !fnmatch(v->choices[i], full, 0);
	free(full);
	return found;
}

/* All of it, or its first word: "lock" is "lock prefix". */
static bool is_kind(const char *wanted, const char *kind)
{
	size_t n = strlen(wanted);

	return !strncmp(wanted, kind, n) && (!kind[n] || kind[n] == ' ');
}

static bool matches(const struct process_view *v, const json_t *line)
{
	const char *name = value_text(line, v->what == PROCESS_USES ? "key" : "choice");
	bool found = !v->kind_count || v->what == PROCESS_USES;

	for (size_t i = 0; i < v->kind_count && !found; i++)
		found = is_kind(v->kinds[i], value_text(line, "kind"));
	return found && is_named(v, name, value_text(line, "module"));
}

/* ---- text ---- */

static void put_heading(struct table *t, int what)
{
	static const char *const names[][7] = {
		[PROCESS_CHOICES] = { "CHOICE", "KIND", "STATE", "BY", "STATES", "SITES", "DESCRIPTION" },
		[PROCESS_SITES] = { "ADDRESS", "KIND", "REASON", "CHOICE", "MODULE" },
		[PROCESS_USES] = { "KEY", "PLACE", "FUNCTION", "STATE", "BY", "MODULE", "TEXT" },
	};

	t->columns = what == PROCESS_SITES ? 5 : 7;
	for (size_t i = 0; i < t->columns; i++)
		table_cell(t, BOLD, "%s", names[what][i]);
}

/* "halt poll(not here)" */
static char *states_text(const json_t *line)
{
	const json_t *states = value_member(line, "states"), *usable = value_member(line, "usable");
	char *list = text_format("%s", value_count(states) ? "" : "any number");

	for (size_t i = 0; i < value_count(states); i++) {
		char *longer = text_format("%s%s%s%s", list, i ? " " : "", value_text_at(states, i), value_true_at(usable, i) ? "" : "(not here)");

		free(list);
		list = longer;
		if (text_columns(list) > 60 && i + 1 < value_count(states)) {
			longer = text_format("%s, %zu more", list, value_count(states) - i - 1);
			free(list);
			return longer;
		}
	}
	return list;
}

/* Only where it is not the state alone: "program; asked: file off, program on" */
static char *decided_text(const json_t *line)
{
	char *asked = value_pairs(value_member(line, "asked"));
	char *text = text_format("%s%s%s%s%s", value_text(line, "decided_by"), *asked ? "; asked: " : "", asked,
				 value_true(line, "final") ? "; final" : "", value_true(line, "nonforcible") ? "; nonforcible" : "");

	free(asked);
	return text;
}

static void put_choice(struct table *t, const json_t *line)
{
	char *states = states_text(line), *decided = decided_text(line), *sites = value_pairs(value_member(line, "sites"));

	table_cell(t, GREEN, "%s", value_text(line, "choice"));
	table_cell(t, PLAIN, "%s", value_text(line, "kind"));
	table_cell(t, CYAN, "%s", value_text(line, "state"));
	table_cell(t, PLAIN, "%s", decided);
	table_cell(t, PLAIN, "%s", states);
	table_cell(t, PLAIN, "%s", sites);
	table_cell(t, DIM, "%s", value_text(line, "doc"));
	free(states);
	free(decided);
	free(sites);
}

static void put_site(struct table *t, const json_t *line)
{
	bool bound = !strcmp(value_text(line, "reason"), "bound");

	table_cell(t, PLAIN, "%s", value_text(line, "address"));
	table_cell(t, PLAIN, "%s", value_text(line, "kind"));
	table_cell(t, bound ? PLAIN : YELLOW, "%s", value_text(line, "reason"));
	table_cell(t, GREEN, "%s", value_text(line, "choice"));
	table_cell(t, PLAIN, "%s", value_text(line, "module"));
}

static void put_use(struct table *t, const json_t *line)
{
	table_cell(t, GREEN, "%s", value_text(line, "key"));
	table_cell(t, PLAIN, "%s:%lld", value_text(line, "file"), value_number(line, "line"));
	table_cell(t, PLAIN, "%s", value_text(line, "function"));
	table_cell(t, CYAN, "%s", value_text(line, "state"));
	table_cell(t, PLAIN, "%s", value_text(line, "decided_by"));
	table_cell(t, PLAIN, "%s", value_text(line, "module"));
	table_cell(t, DIM, "%s", value_text(line, "text"));
}

static void show_line(struct client *c, json_t *line, void *ctx)
{
	static void (*const puts[])(struct table *t, const json_t *line) = {
		[PROCESS_CHOICES] = put_choice, [PROCESS_SITES] = put_site, [PROCESS_USES] = put_use,
	};
	struct listing *l = ctx;

	(void)c;
	if (!matches(l->view, line))
		return;
	if (l->json)
		json_value(l->json, NULL, line);
	else
		puts[l->view->what](&l->table, line);
}

/* ---- processes ---- */

static int ask(const char *word, struct listing *l)
{
	static const char *const requests[] = { "list", "sites", "uses" };
	const struct process_view *v = l->view;
	const char *request[2] = { requests[v->what], v->what == PROCESS_USES ? v->terms : NULL };

	/* A word that both sides understand alike spares the process the rest. */
	if (v->what != PROCESS_USES && v->choice_count == 1 && !strpbrk(v->choices[0], "[]\\:"))
		request[1] = v->choices[0];
	return client_ask(word, request, request[1] ? 2 : 1, show_line, l);
}

static int list_process(const char *word, const struct process_view *v, struct json *j)
{
	static const char *const lists[] = { "choices", "sites", "uses" };
	struct listing l = { .view = v, .json = j };
	bool nothing = false, linkage = false;
	int status;

	if (j) {
		json_object(j, NULL);
		json_signed(j, "pid", atol(word));
		json_array(j, lists[v->what]);
	} else {
		put_heading(&l.table, v->what);
	}
	status = ask(word, &l);
	if (j) {
		json_end_array(j);
	} else if (l.table.count > l.table.columns) {
		table_print(&l.table, 0, true);
	} else {
		table_free(&l.table);
		if (status == STATUS_FINE)
			nothing = true;
	}
	if (status == STATUS_FINE && v->what == PROCESS_CHOICES)
		status = linkage_list(word, j, &linkage);
	if (nothing && !linkage)
		puts("nothing matches");
	if (j)
		json_end_object(j);
	return status;
}

int list_processes(char **words, size_t count, const struct process_view *view)
{
	struct json j = { .out = stdout };
	int status = STATUS_FINE;

	if (view->json) {
		json_begin(&j);
		json_array(&j, "processes");
	}
	for (size_t i = 0; i < count; i++) {
		if (!view->json && count > 1)
			text_put(BOLD, "%s", words[i]), putchar('\n');
		worse(&status, list_process(words[i], view, view->json ? &j : NULL));
	}
	if (view->json) {
		json_end_array(&j);
		json_end_object(&j);
	}
	return status;
}
