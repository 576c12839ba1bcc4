/* SPDX-License-Identifier: MIT */
/* check.c - `relink check`: are the records of files right, do they fit the code, and who writes what only relink may write? */
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "checker.h"
#include "inputs.h"
#include "report.h"

static const char help[] =
	"usage: relink check [OPTION]... FILE...\n"
	"\n"
	"Compares every record with the code that it is about: instruction boundaries and bytes, lengths, ranges, operands, sites that\n"
	"share bytes, jumps into the middle of a site. Looks for code that writes accelerated pointers, keys and what else only relink\n"
	"writes, and for addresses of accelerated pointers that escape; in objects and archives, too. Prints one line per finding, with\n"
	"a number that relink(1) and relink-check(7) explain.\n"
	"\n"
	"      --init-function PATTERN   functions that run before the first commit, and may write; beside main and constructors\n"
	"      --init-section PATTERN    sections of such functions; beside .init.text, .text.startup and RELINK_INIT_CODE\n"
	"      --suppressions FILE       leaves out what a line of the file names: NUMBER [VARIABLE [FUNCTION [FILE]]]\n"
	"      --unused-suppressions     reports lines of that file that nothing matched\n"
	"      --json                    for programs; see relink(1) for the keys\n"
	"      --sarif                   for programs that show findings (SARIF 2.1.0)\n"
	"      --color WHEN              auto, always or never\n"
	"\n"
	"Exit status: 0 nothing found, 1 something found, 2 bad use or a file that can't be read.\n";

struct request {
	struct common common;
	bool sarif, report_unused;
	const char *suppressions;
	const char **init_functions, **init_sections;
	size_t init_function_count, init_section_count;
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
	if (!model->is_object)
		text_put(PLAIN, ": %zu sites", model->site_count);
	if (model->finding_count)
		text_put(PLAIN, "%s %zu findings", model->is_object ? ":" : ",", model->finding_count + model->findings_lost);
	else
		text_put(PLAIN, "%s all is well", model->is_object ? ":" : ",");
	putchar('\n');
}

static void put_unused(const struct unused *unused)
{
	for (size_t i = 0; i < unused->count; i++) {
		text_put(BOLD, "%s:%u: ", unused->file, unused->rules[i].line);
		text_put(YELLOW, "warning: ");
		text_put(PLAIN, "the suppression \"%s\" suppresses nothing", unused->rules[i].text);
		text_put(DIM, " [relink-%d]\n", UNUSED_NUMBER);
	}
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

static void write_all(struct model **models, size_t count, const struct unused *unused)
{
	struct json j = { .out = stdout };

	json_begin(&j);
	json_array(&j, "files");
	for (size_t i = 0; i < count; i++)
		write_file(&j, models[i]);
	json_end_array(&j);
	json_array(&j, "unused_suppressions");
	for (size_t i = 0; i < unused->count; i++) {
		json_object(&j, NULL);
		json_number(&j, "number", UNUSED_NUMBER);
		json_string(&j, "file", unused->file);
		json_number(&j, "line", unused->rules[i].line);
		json_string(&j, "text", unused->rules[i].text);
		json_end_object(&j);
	}
	json_end_array(&j);
	json_end_object(&j);
}

/* ---- command line ---- */

enum { OPTION_SARIF = 256, OPTION_UNUSED, OPTION_SUPPRESSIONS, OPTION_FUNCTION, OPTION_SECTION };

static bool parse(struct request *r, int argc, char **argv, int *status)
{
	static const struct option options[] = {
		{ "sarif", no_argument, NULL, OPTION_SARIF }, { "unused-suppressions", no_argument, NULL, OPTION_UNUSED },
		{ "suppressions", required_argument, NULL, OPTION_SUPPRESSIONS }, { "init-function", required_argument, NULL, OPTION_FUNCTION },
		{ "init-section", required_argument, NULL, OPTION_SECTION }, COMMON_OPTIONS, { NULL, 0, NULL, 0 } };
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, ":h", options, NULL)) != -1) {
		if (option == OPTION_SARIF)
			r->sarif = true;
		else if (option == OPTION_UNUSED)
			r->report_unused = true;
		else if (option == OPTION_SUPPRESSIONS)
			r->suppressions = optarg;
		else if (option == OPTION_FUNCTION)
			r->init_functions[r->init_function_count++] = optarg;
		else if (option == OPTION_SECTION)
			r->init_sections[r->init_section_count++] = optarg;
		else if (!common_option(&command_check, &r->common, option, argv, status))
			return false;
	}
	return common_ready(&r->common, status);
}

/* NULL: fine. */
static const char *misuse(const struct request *r, bool has_files)
{
	if (!has_files)
		return "check: which file? see relink help check";
	if (r->sarif && r->common.json)
		return "check: either --json or --sarif";
	if (r->report_unused && !r->suppressions)
		return "check: --unused-suppressions is about those of --suppressions FILE";
	return NULL;
}

static void find_unused(const struct suppressions *s, struct unused *unused)
{
	unsigned line;
	const char *text;

	for (size_t i = 0; suppressions_unused(s, &i, &line, &text);) {
		void *rules = realloc(unused->rules, (unused->count + 1) * sizeof(*unused->rules));

		if (!rules)
			return;
		unused->rules = rules;
		unused->rules[unused->count].line = line;
		unused->rules[unused->count++].text = text;
	}
}

static void check_all(const struct request *r, struct inputs *in, struct suppressions *s, struct unused *unused)
{
	const struct checker_options options = { r->init_sections, r->init_section_count, r->init_functions, r->init_function_count };

	for (size_t i = 0; i < in->count; i++) {
		progress("checking", i, in->count);
		model_check(in->models[i]);
	}
	progress_end();
	checker_run(in->models, in->count, &options);
	for (size_t i = 0; s && i < in->count; i++)
		suppressions_apply(s, in->models[i]);
	if (s && r->report_unused)
		find_unused(s, unused);
}

static int report(const struct request *r, const struct inputs *in, const struct unused *unused)
{
	int status = unused->count ? STATUS_FINDINGS : STATUS_FINE;

	for (size_t i = 0; i < in->count; i++) {
		if (in->models[i]->finding_count || in->models[i]->findings_lost)
			status = STATUS_FINDINGS;
		if (!r->sarif && !r->common.json)
			put_file(in->models[i]);
	}
	if (r->sarif)
		write_sarif(in->models, in->count, unused);
	else if (r->common.json)
		write_all(in->models, in->count, unused);
	else
		put_unused(unused);
	return status;
}

static int check(const struct request *r, char **paths, size_t count)
{
	struct suppressions *s = NULL;
	struct unused unused = { .file = r->suppressions };
	struct inputs in = { 0 };
	int status = STATUS_FINE;
	char why[300];

	if (r->suppressions && !(s = suppressions_read(r->suppressions, why, sizeof(why)))) {
		complain(r->suppressions, "%s", why);
		return STATUS_BAD;
	}
	inputs_open(&in, paths, count, &status);
	check_all(r, &in, s, &unused);
	worse(&status, report(r, &in, &unused));
	close_all(in.models, in.count);
	free(unused.rules);
	suppressions_free(s);
	return status;
}

static int run(int argc, char **argv)
{
	struct request r = { .sarif = false };
	int status = STATUS_BAD;
	const char *wrong;

	r.init_functions = calloc((size_t)argc + 1, sizeof(*r.init_functions));
	r.init_sections = calloc((size_t)argc + 1, sizeof(*r.init_sections));
	if (!r.init_functions || !r.init_sections) {
		complain(NULL, "out of memory");
	} else if (parse(&r, argc, argv, &status)) {
		wrong = misuse(&r, optind < argc);
		if (wrong) {
			complain(NULL, "%s", wrong);
			status = STATUS_BAD;
		} else {
			status = check(&r, argv + optind, (size_t)(argc - optind));
		}
	}
	free(r.init_functions);
	free(r.init_sections);
	return status;
}

const struct command command_check = { "check", help, run };
