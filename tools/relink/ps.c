/* SPDX-License-Identifier: MIT */
/* ps.c - relink ps: the processes that run an agent. */
#include <getopt.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"

static const char help[] =
	"usage: relink ps [OPTION]...\n\n"
	"Lists processes with an agent: this user's, or everybody's for root.\n\n"
	"      --json         for programs; see relink(1) for the keys\n"
	"      --color WHEN   auto, always or never\n";

struct rows {
	struct json *json; /* NULL: text */
	struct table table;
};

struct facts {
	long long modules, choices;
	char *mode;
};

static void take_status(struct client *c, json_t *line, void *ctx)
{
	struct facts *f = ctx;

	(void)c;
	f->modules = value_number(line, "modules");
	free(f->mode);
	f->mode = text_format("%s", value_text(line, "status"));
}

static bool ask(struct client *c, struct facts *f)
{
	if (!client_request(c, "status\n") || client_reply(c, take_status, f) || !client_request(c, "list\n") ||
	    client_reply(c, NULL, NULL))
		return false;
	f->choices = value_number(c->value, "count");
	return true;
}

static void write_row(struct json *j, const struct client *c, const struct facts *f, const char *user)
{
	json_object(j, NULL);
	json_signed(j, "pid", c->process);
	json_string(j, "user", user);
	json_string(j, "program", c->program);
	json_signed(j, "modules", f->modules);
	json_signed(j, "choices", f->choices);
	json_string(j, "mode", f->mode);
	json_end_object(j);
}

static void put_row(struct table *t, const struct client *c, const struct facts *f, const char *user)
{
	table_cell(t, GREEN, "%ld", (long)c->process);
	table_cell(t, PLAIN, "%s", user);
	table_cell(t, PLAIN, "%lld", f->modules);
	table_cell(t, PLAIN, "%lld", f->choices);
	table_cell(t, PLAIN, "%s", f->mode);
	table_cell(t, PLAIN, "%s", c->program);
}

static void show(pid_t process, void *ctx)
{
	struct rows *rows = ctx;
	struct facts f = { 0 };
	struct client c;
	const struct passwd *entry;
	char number[24];

	if (!client_connect(&c, process, true))
		return; /* left behind, or it is about to end */
	entry = getpwuid(c.user);
	snprintf(number, sizeof(number), "%u", (unsigned)c.user);
	if (ask(&c, &f) && rows->json)
		write_row(rows->json, &c, &f, entry ? entry->pw_name : number);
	else if (f.mode && !rows->json)
		put_row(&rows->table, &c, &f, entry ? entry->pw_name : number);
	free(f.mode);
	client_close(&c);
}

static void put_processes(void)
{
	static const char *const names[] = { "PID", "USER", "MODULES", "CHOICES", "MODE", "PROGRAM" };
	struct rows rows = { .table.columns = sizeof(names) / sizeof(*names) };

	for (size_t i = 0; i < rows.table.columns; i++)
		table_cell(&rows.table, BOLD, "%s", names[i]);
	client_each_process(show, &rows);
	if (rows.table.count > rows.table.columns) {
		table_print(&rows.table, 0, true);
		return;
	}
	table_free(&rows.table);
	complain(NULL, "no process has an agent; start one with RELINK_AGENT=1");
}

static void write_processes(void)
{
	struct json j = { .out = stdout };
	struct rows rows = { .json = &j };

	json_begin(&j);
	json_array(&j, "processes");
	client_each_process(show, &rows);
	json_end_array(&j);
	json_end_object(&j);
}

static int run(int argc, char **argv)
{
	static const struct option options[] = { COMMON_OPTIONS, { NULL, 0, NULL, 0 } };
	struct common common = { .json = false };
	int option, status = STATUS_BAD;

	opterr = 0;
	while ((option = getopt_long(argc, argv, ":h", options, NULL)) != -1)
		if (!common_option(&command_ps, &common, option, argv, &status))
			return status;
	if (!common_ready(&common, &status))
		return status;
	if (optind != argc)
		return client_fail("ps: nothing may follow; relink list PID shows one process");
	if (common.json)
		write_processes();
	else
		put_processes();
	return STATUS_FINE;
}

const struct command command_ps = { "ps", help, run };
