/* SPDX-License-Identifier: MIT */
/* linkage.c - relink linkage: calls between modules of a running process, and back through their stubs. */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"

static const char help[] =
	"usage: relink linkage [OPTION]... PID\n"
	"       relink linkage --revert[=LIB] [--live] PID\n\n"
	"Shows which calls between libraries are direct in a process that `relink run --agent` has started, or that calls\n"
	"relink_linkage() itself and runs the agent.\n\n"
	"      --revert[=LIB]  calls of this module, or of all, go through their stubs again\n"
	"      --refresh       looks for slots that somebody has changed, and leads what was bound through them there again\n"
	"      --live          other threads run on; calls that one store can't change stay (they stand still otherwise)\n"
	"      --json          for programs; see relink(1) for the keys\n"
	"      --color WHEN    auto, always or never\n\n"
	"Exit status: 0 done, 1 the process refused, or some calls stay as they are, 2 bad use, or no such process.\n";

struct options {
	struct common common;
	bool revert, refresh, live;
	const char *module;
};

struct listing {
	struct table table;
	struct json *json;
	long long bound, pages;
	bool any;
};

static bool parse(struct options *o, int argc, char **argv, int *status)
{
	static const struct option known[] = { { "revert", optional_argument, 0, 'r' }, { "refresh", 0, 0, 'f' }, { "live", 0, 0, 'l' },
					       COMMON_OPTIONS, { NULL, 0, NULL, 0 } };
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, ":h", known, NULL)) != -1)
		switch (option) {
		case 'r':
			o->revert = true;
			o->module = optarg;
			break;
		case 'f': o->refresh = true; break;
		case 'l': o->live = true; break;
		default:
			if (!common_option(&command_linkage, &o->common, option, argv, status))
				return false;
		}
	*status = STATUS_BAD;
	if (o->revert && o->refresh)
		complain(NULL, "linkage: --revert and --refresh exclude each other");
	else if (o->live && !o->revert && !o->refresh)
		complain(NULL, "linkage: --live says how --revert or --refresh is done; neither is given");
	else
		return common_ready(&o->common, status);
	return false;
}

static void put_heading(struct table *t)
{
	static const char *const columns[] = { "MODULE", "FOUND", "BOUND", "TOO FAR", "LEFT", "PRIVATE", "WHY" };

	t->columns = sizeof(columns) / sizeof(*columns);
	for (size_t i = 0; i < t->columns; i++)
		table_cell(t, BOLD, "%s", columns[i]);
}

static long long left(const json_t *calls)
{
	static const char *const states[] = { "through the stub", "not filled yet", "threads", "over budget", "foreign bytes",
					      "no module's code", "slot changed", "unwritable" };
	long long n = 0;

	for (size_t i = 0; i < sizeof(states) / sizeof(*states); i++)
		n += value_number(calls, states[i]);
	return n;
}

static void put_module(struct listing *l, const json_t *line)
{
	const json_t *calls = value_member(line, "calls");
	char *pairs = value_pairs(calls);
	const char *why = value_text(line, "why");

	l->bound += value_number(calls, "bound");
	l->pages += value_number(line, "pages");
	table_cell(&l->table, GREEN, "%s", value_text(line, "module"));
	table_cell(&l->table, PLAIN, "%lld", value_number(line, "found"));
	table_cell(&l->table, PLAIN, "%lld", value_number(calls, "bound"));
	table_cell(&l->table, PLAIN, "%lld", value_number(calls, "out of range"));
	table_cell(&l->table, PLAIN, "%lld", left(calls));
	table_cell(&l->table, PLAIN, "%lld KiB", value_number(line, "pages") * 4);
	table_cell(&l->table, DIM, "%s", *why ? why : left(calls) ? pairs : "");
	free(pairs);
}

static void put_status(const struct listing *l, const json_t *line)
{
	printf("\n%lld bound, %lld KiB of code private; policy %s, start-up %.2f ms, learning %.2f ms, %lld calls recorded, %lld slots watched\n",
	       l->bound, l->pages * 4, value_text(line, "policy"), (double)value_number(line, "start_ns") / 1e6,
	       (double)value_number(line, "learn_ns") / 1e6, value_number(line, "recorded"), value_number(line, "watching"));
	if (*value_text(line, "notes"))
		text_put(DIM, "%s", value_text(line, "notes"));
}

static void show(struct client *c, json_t *line, void *ctx)
{
	struct listing *l = ctx;

	(void)c;
	l->any = true;
	if (l->json) {
		json_value(l->json, NULL, line);
	} else if (value_member(line, "module")) {
		put_module(l, line);
	} else {
		table_print(&l->table, 0, true);
		put_status(l, line);
	}
}

int linkage_list(const char *word, struct json *j, bool *any)
{
	static const char *const request[] = { "linkage" };
	struct listing l = { .json = j };
	int status;

	if (j)
		json_array(j, "linkage");
	else
		put_heading(&l.table);
	status = client_ask(word, request, 1, show, &l);
	if (j)
		json_end_array(j);
	else
		table_free(&l.table);
	*any = l.any;
	return status;
}

static int list(const char *word, const struct options *o)
{
	struct json j = { .out = stdout };
	int status;
	bool any;

	if (!o->common.json) {
		status = linkage_list(word, NULL, &any);
		if (status == STATUS_FINE && !any)
			puts("relink_linkage has not been called in this process");
		return status;
	}
	json_begin(&j);
	json_signed(&j, "pid", atol(word));
	status = linkage_list(word, &j, &any);
	json_end_object(&j);
	return status;
}

static int run(int argc, char **argv)
{
	struct options o = { .revert = false };
	const char *request[4] = { "linkage" };
	size_t words = 3;
	int status = STATUS_BAD;

	if (!parse(&o, argc, argv, &status))
		return status;
	if (argc - optind != 1)
		return client_fail("linkage: which process? see relink help linkage");
	if (!o.revert && !o.refresh)
		return list(argv[optind], &o);
	request[1] = o.revert ? "revert" : "refresh";
	request[2] = o.live ? "live" : "stop";
	if (o.module)
		request[words++] = o.module;
	return client_ask(argv[optind], request, words, NULL, NULL);
}

const struct command command_linkage = { "linkage", help, run };
