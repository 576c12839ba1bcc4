/* SPDX-License-Identifier: MIT */
/* index.c - `relink index`: kept relocations become a table that strip leaves alone. */
#include <getopt.h>
#include <stdio.h>

#include "indexing.h"
#include "relink.h"
#include "replace.h"

static const char help[] =
	"usage: relink index [OPTION]... FILE...\n"
	"\n"
	"Puts into programs and shared objects a table of the places in their code that call static calls and accelerated pointers. It\n"
	"is part of what is loaded: strip leaves it, and the program needs neither relocations nor symbols, nor its own file, to find\n"
	"its calls.\n"
	"A file that has such a table stays as it is.\n"
	"\n"
	"  -r, --drop-relocs        remove the relocations that the linker kept; strip does that, too\n"
	"  -o, --output OUT         write to OUT, and leave FILE alone\n"
	"  -q, --quiet              don't say what was done\n"
	"      --json               for programs; see relink(1) for the keys\n"
	"\n"
	"The file is replaced as a whole or not at all; programs that run it are not disturbed.\n"
	"Exit status: 0 done, 1 its records and its code contradict each other, 2 bad use or a file that can't be read, indexed or written.\n";

struct request {
	struct common common;
	bool drop, quiet;
	const char *out;
	struct json json;
};

/* A file on its way. */
struct job {
	struct request *request;
	const char *path;
	struct indexing file;
};

/* An index is about code that is as it was linked. */
static bool fits_its_records(struct job *job, int *status)
{
	struct model *model = job->file.model;

	model_check(model);
	for (size_t i = 0; i < model->finding_count; i++) {
		if (!model_finding_is_error(model->findings[i].number))
			continue;
		complain(job->path, "not indexed, 0x%llx: %s [relink-%d]; relink check has it all", (unsigned long long)model->findings[i].address,
			 model->findings[i].text, model->findings[i].number);
		worse(status, STATUS_FINDINGS);
		return false;
	}
	return true;
}

static const char *write_result(const struct job *job)
{
	static char why[300];
	const char *out = job->request->out ? job->request->out : job->path;
	size_t size = job->file.splice.out_size;
	const uint8_t *bytes = job->file.splice.out;

	if (!job->file.changed)
		bytes = model_file(job->file.model, &size);
	if (!job->file.changed && !job->request->out)
		return NULL;
	return replace_file(out, job->path, bytes, size, true, why, sizeof(why));
}

static void say_json(const struct job *job, const char *out)
{
	struct json *j = &job->request->json;

	json_object(j, NULL);
	json_string(j, "file", job->path);
	json_string(j, "output", out);
	json_bool(j, "changed", job->file.changed);
	if (!job->file.model->has_index) {
		json_number(j, "places", job->file.places);
		json_number(j, "bytes", job->file.size);
	}
	json_end_object(j);
}

static void say(const struct job *job)
{
	const char *out = job->request->out ? job->request->out : job->path;

	if (job->request->common.json)
		say_json(job, out);
	if (job->request->common.json || job->request->quiet)
		return;
	if (job->file.model->has_index)
		printf("%s: has its index%s\n", out, job->file.changed ? ", relocations dropped" : ", nothing to do");
	else
		printf("%s: %zu places in %zu bytes%s\n", out, job->file.places, job->file.size, job->request->drop ? ", relocations dropped" : "");
}

static void work(struct job *job, int *status)
{
	const char *why = indexing_refused(job->file.model);

	if (!why && !fits_its_records(job, status))
		return;
	why = why ? why : indexing_make(&job->file);
	why = why ? why : write_result(job);
	if (!why) {
		say(job);
		return;
	}
	complain(job->path, "not indexed: %s", why);
	worse(status, STATUS_BAD);
}

static void index_file(struct request *request, const char *path, int *status)
{
	struct job job = { .request = request, .path = path, .file = { .drop = request->drop } };
	char why[300];

	job.file.model = model_open(path, why, sizeof(why));
	if (!job.file.model) {
		complain(path, "%s", why);
		worse(status, STATUS_BAD);
		return;
	}
	model_connect(&job.file.model, 1);
	work(&job, status);
	indexing_end(&job.file);
	model_close(job.file.model);
}

/* ---- command line ---- */

static bool parse(struct request *r, int argc, char **argv, int *status)
{
	static const struct option options[] = { { "drop-relocs", no_argument, NULL, 'r' }, { "output", required_argument, NULL, 'o' },
						 { "quiet", no_argument, NULL, 'q' }, COMMON_OPTIONS,
						 { NULL, 0, NULL, 0 } };
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, ":hro:q", options, NULL)) != -1) {
		if (option == 'r')
			r->drop = true;
		else if (option == 'o')
			r->out = optarg;
		else if (option == 'q')
			r->quiet = true;
		else if (!common_option(&command_index, &r->common, option, argv, status))
			return false;
	}
	return common_ready(&r->common, status);
}

static int run(int argc, char **argv)
{
	struct request r = { .drop = false };
	int status = STATUS_BAD;

	if (!parse(&r, argc, argv, &status))
		return status;
	if (optind == argc || (r.out && argc - optind > 1)) {
		complain(NULL, optind == argc ? "index: which file? see relink help index" : "index: --output takes one file");
		return STATUS_BAD;
	}
	status = STATUS_FINE;
	if (r.common.json) {
		r.json.out = stdout;
		json_begin(&r.json);
		json_array(&r.json, "files");
	}
	for (int i = optind; i < argc; i++) {
		if (r.quiet)
			progress("indexing", (size_t)(i - optind), (size_t)(argc - optind));
		index_file(&r, argv[i], &status);
	}
	progress_end();
	if (r.common.json) {
		json_end_array(&r.json);
		json_end_object(&r.json);
	}
	return status;
}

const struct command command_index = { "index", help, run };
