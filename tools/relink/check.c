/* SPDX-License-Identifier: MIT */
/* check.c - `relink check`: are the records of files right, and do they fit the code? */
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "relink.h"

static const char help[] =
	"usage: relink check [OPTION]... FILE...\n"
	"\n"
	"Compares every record with the code that it is about: instruction boundaries and bytes, lengths, ranges, operands, sites that\n"
	"share bytes, jumps into the middle of a site. Prints one line per finding, with a number that relink(1) explains.\n"
	"\n"
	"      --json               for programs; see relink(1) for the keys\n"
	"      --sarif              for programs that show findings (SARIF 2.1.0)\n"
	"      --color WHEN         auto, always or never\n"
	"\n"
	"Exit status: 0 nothing found, 1 something found, 2 bad use or a file that can't be read.\n";

struct request {
	struct common common;
	bool sarif;
};

/* ---- text ---- */

static void put_finding(struct model *model, const struct model_finding *f)
{
	char *source = source_of(model, f->address), *function = function_of(model, f->address);
	bool error = model_finding_is_error(f->number);

	if (*source)
		text_put(BOLD, "%s: ", source);
	else
		text_put(BOLD, "%s:0x%" PRIx64 ": ", model->path, f->address);
	text_put(error ? RED : YELLOW, "%s: ", error ? "error" : "warning");
	text_put(PLAIN, "%s", f->text);
	if (*function)
		text_put(PLAIN, ", in %s", function);
	if (*source)
		text_put(DIM, " (%s)", model->path);
	text_put(DIM, " [relink-%d]", f->number);
	putchar('\n');
	free(source);
	free(function);
}

static void put_file(struct model *model)
{
	for (size_t i = 0; i < model->finding_count; i++)
		put_finding(model, &model->findings[i]);
	if (model->findings_lost)
		printf("%zu more\n", model->findings_lost);
	text_put(BOLD, "%s", model->path);
	if (model->finding_count)
		text_put(PLAIN, ": %zu sites, %zu findings", model->site_count, model->finding_count + model->findings_lost);
	else
		text_put(PLAIN, ": %zu sites, all is well", model->site_count);
	putchar('\n');
}

/* ---- JSON ---- */

static void write_file(struct json *j, struct model *model)
{
	json_object(j, NULL);
	json_file(j, model);
	json_number(j, "sites", model->site_count);
	json_number(j, "findings_lost", model->findings_lost);
	json_findings(j, model);
	json_end_object(j);
}

static void write_all(struct model **models, size_t count)
{
	struct json j = { .out = stdout };

	json_begin(&j);
	json_array(&j, "files");
	for (size_t i = 0; i < count; i++)
		write_file(&j, models[i]);
	json_end_array(&j);
	json_end_object(&j);
}

/* ---- SARIF ---- */

static void rule_id(char id[32], int number)
{
	snprintf(id, 32, "relink-%d", number);
}

static void write_rules(struct json *j)
{
	char id[32];

	json_array(j, "rules");
	for (int number = 100; number < 400; number++) {
		if (!model_finding_name(number))
			continue;
		rule_id(id, number);
		json_object(j, NULL);
		json_string(j, "id", id);
		json_object(j, "shortDescription");
		json_string(j, "text", model_finding_name(number));
		json_end_object(j);
		json_object(j, "defaultConfiguration");
		json_string(j, "level", model_finding_is_error(number) ? "error" : "warning");
		json_end_object(j);
		json_end_object(j);
	}
	json_end_array(j);
}

/* The source line where it is known, else the file; the address in any case. */
static void write_location(struct json *j, struct model *model, const struct model_finding *f)
{
	const char *file, *name;
	uint64_t offset, size;
	int line;
	bool known = model_line_at(model, f->address, &file, &line);

	json_array(j, "locations");
	json_object(j, NULL);
	json_object(j, "physicalLocation");
	json_object(j, "artifactLocation");
	json_string(j, "uri", known ? file : model->path);
	json_end_object(j);
	if (known) {
		json_object(j, "region");
		json_number(j, "startLine", (uint64_t)line);
		json_end_object(j);
	}
	json_object(j, "address");
	json_number(j, "absoluteAddress", f->address);
	json_end_object(j);
	json_end_object(j);
	if (model_symbol_at(model, f->address, &name, &offset, &size)) {
		json_array(j, "logicalLocations");
		json_object(j, NULL);
		json_string(j, "name", name);
		json_string(j, "kind", "function");
		json_end_object(j);
		json_end_array(j);
	}
	json_end_object(j);
	json_end_array(j);
}

static void write_result(struct json *j, struct model *model, const struct model_finding *f)
{
	char id[32];

	rule_id(id, f->number);
	json_object(j, NULL);
	json_string(j, "ruleId", id);
	json_string(j, "level", model_finding_is_error(f->number) ? "error" : "warning");
	json_object(j, "message");
	json_string(j, "text", f->text);
	json_end_object(j);
	write_location(j, model, f);
	json_end_object(j);
}

static void write_sarif(struct model **models, size_t count)
{
	struct json j = { .out = stdout };

	json_object(&j, NULL);
	json_string(&j, "$schema", "https://json.schemastore.org/sarif-2.1.0.json");
	json_string(&j, "version", "2.1.0");
	json_array(&j, "runs");
	json_object(&j, NULL);
	json_object(&j, "tool");
	json_object(&j, "driver");
	json_string(&j, "name", "relink");
	json_string(&j, "version", RELINK_VERSION);
	write_rules(&j);
	json_end_object(&j);
	json_end_object(&j);
	json_array(&j, "results");
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < models[i]->finding_count; k++)
			write_result(&j, models[i], &models[i]->findings[k]);
	json_end_array(&j);
	json_end_object(&j);
	json_end_array(&j);
	json_end_object(&j);
}

/* ---- command line ---- */

static bool parse(struct request *r, int argc, char **argv, int *status)
{
	static const struct option options[] = { { "sarif", no_argument, NULL, 'S' }, COMMON_OPTIONS, { NULL, 0, NULL, 0 } };
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, ":h", options, NULL)) != -1) {
		if (option == 'S')
			r->sarif = true;
		else if (!common_option(&command_check, &r->common, option, argv, status))
			return false;
	}
	return common_ready(&r->common, status);
}

static int run(int argc, char **argv)
{
	struct request r = { .sarif = false };
	int status = STATUS_BAD;
	struct model **models;
	size_t opened;

	if (!parse(&r, argc, argv, &status))
		return status;
	if (optind == argc || (r.sarif && r.common.json)) {
		complain(NULL, optind == argc ? "check: which file? see relink help check" : "check: either --json or --sarif");
		return STATUS_BAD;
	}
	status = STATUS_FINE;
	models = open_all(argv + optind, (size_t)(argc - optind), &opened, &status);
	if (!are_files(&command_check, models, opened, &status)) {
		close_all(models, opened);
		return status;
	}
	for (size_t i = 0; i < opened; i++) {
		model_check(models[i]);
		if (models[i]->finding_count)
			worse(&status, STATUS_FINDINGS);
		if (!r.sarif && !r.common.json)
			put_file(models[i]);
	}
	if (r.sarif)
		write_sarif(models, opened);
	else if (r.common.json)
		write_all(models, opened);
	close_all(models, opened);
	return status;
}

const struct command command_check = { "check", "are the records right, and do they fit the code?", help, run };
