/* SPDX-License-Identifier: MIT */
/* status.c - relink status: how a running process is rewritten. */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"

static const char help[] =
	"usage: relink status [OPTION]... PID\n\n"
	"Shows how a running process is rewritten: mode, sites by kind and reason, notes. It needs an agent: RELINK_AGENT=1.\n\n"
	"      --json         for programs; see relink(1) for the keys\n"
	"      --color WHEN   auto, always or never\n";

static void put_fact(const char *name, const char *text)
{
	text_put(DIM, "%-9s ", name);
	text_put(PLAIN, "%s", text);
	putchar('\n');
}

static void put_notes(const char *notes)
{
	while (*notes) {
		size_t n = strcspn(notes, "\n");
		char *line = text_format("%.*s", (int)n, notes);

		put_fact("note", line);
		free(line);
		notes += n + (notes[n] == '\n');
	}
}

static void put_sites(const char *kind, const json_t *reasons, void *ctx)
{
	char *counts = value_pairs(reasons), *line = text_format("%s: %s", kind ? kind : "", counts);

	(void)ctx;
	if (*counts)
		put_fact("sites", line);
	free(counts);
	free(line);
}

static void put_status(const struct client *c, const json_t *line)
{
	put_fact("program", c->program);
	put_fact("mode", value_text(line, "status"));
	put_fact("writer", value_text(line, "writer"));
	put_fact("barrier", value_text(line, "barrier"));
	put_fact("locks", value_text(line, "locks"));
	text_put(DIM, "%-9s ", "modules");
	printf("%lld, %lld pending\n", value_number(line, "modules"), value_number(line, "pending"));
	text_put(DIM, "%-9s ", "commits");
	printf("%lld, %lld barriers, %lld writes\n", value_number(line, "commits"), value_number(line, "barriers"), value_number(line, "writes"));
	value_each(value_member(line, "sites"), put_sites, NULL);
	put_notes(value_text(line, "notes"));
}

static void show(struct client *c, json_t *line, void *ctx)
{
	struct json j = { .out = stdout };

	if (!*(const bool *)ctx) {
		put_status(c, line);
		return;
	}
	json_begin(&j);
	json_signed(&j, "pid", c->process);
	json_string(&j, "program", c->program);
	json_value(&j, "process", line);
	json_end_object(&j);
}

static int run(int argc, char **argv)
{
	static const struct option options[] = { COMMON_OPTIONS, { NULL, 0, NULL, 0 } };
	static const char *const request[] = { "status" };
	struct common common = { .json = false };
	int option, status = STATUS_BAD;

	opterr = 0;
	while ((option = getopt_long(argc, argv, ":h", options, NULL)) != -1)
		if (!common_option(&command_status, &common, option, argv, &status))
			return status;
	if (!common_ready(&common, &status))
		return status;
	if (argc - optind != 1)
		return client_fail("status: which process? see relink help status");
	return client_ask(argv[optind], request, 1, show, &common.json);
}

const struct command command_status = { "status", help, run };
