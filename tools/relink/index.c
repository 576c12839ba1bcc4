/* SPDX-License-Identifier: MIT */
/* index.c - `relink index`: kept relocations become a table that strip leaves alone. */
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <relink/abi.h>

#include "relink.h"
#include "replace.h"
#include "splice.h"

static const char help[] =
	"usage: relink index [OPTION]... FILE...\n"
	"\n"
	"Puts into programs and shared objects a table of the places in their code that call static calls and accelerated pointers. It is part of\n"
	"what is loaded: strip leaves it, and the program needs neither relocations nor symbols, nor its own file, to find its calls.\n"
	"A file that has such a table stays as it is.\n"
	"\n"
	"  -r, --drop-relocs        remove the relocations that the linker kept; strip does that, too\n"
	"  -o, --output OUT         write to OUT, and leave FILE alone\n"
	"  -q, --quiet              don't say what was done\n"
	"\n"
	"The file is replaced as a whole or not at all; programs that run it are not disturbed.\n"
	"Exit status: 0 done, 1 its records and its code contradict each other, 2 bad use or a file that can't be read, indexed or written.\n";

struct request {
	struct common common;
	bool drop, quiet;
	const char *out;
};

/* A file on its way. */
struct job {
	const struct request *request;
	const char *path;
	struct model *model;
	struct splice splice;
	const char *why;
	size_t places, size; /* of the new index */
};

/* ---- is it a file that can be indexed? ---- */

static bool has_static_relocs(const struct splice *s)
{
	for (size_t i = 1; i < s->section_count; i++)
		if ((s->sections[i].sh_type == SHT_RELA || s->sections[i].sh_type == SHT_REL) && !splice_is_loaded(&s->sections[i]))
			return true;
	return false;
}

static const char *why_not_indexed(const struct model *model)
{
	uint64_t note, place;

	if (model_is_indexed(model))
		return model->has_index ? NULL : "its index is broken or is about other code: index the linker's output instead";
	if (!model_note(model, &note, &place))
		return model->has_records ? "compiled with headers of a relink that had no index: compile it again"
					  : "it uses no relink, there is nothing to index";
	if (model->has_relocs)
		return NULL;
	return model->has_symbols ? "no relocations were kept: link it with -Wl,--emit-relocs"
				  : "it is stripped: index the linker's output before it is stripped";
}

/* An index is about code that is as it was linked. */
static bool fits_its_records(struct job *job, int *status)
{
	struct model *model = job->model;

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

/* ---- the new file ---- */

static const char *add_index(struct job *job)
{
	struct relink_index_place place = { 0, 0 };
	uint64_t note, at, address;
	const char *why = NULL;
	uint8_t *index;

	model_note(job->model, &note, &at);
	address = splice_address(&job->splice);
	if (address - at > INT32_MAX)
		return "its segments are further apart than 2 GiB";
	index = model_index(job->model, address, &job->size, &job->places, &why);
	if (!why)
		why = splice_make_room(&job->splice, note, at);
	if (!why)
		why = splice_add(&job->splice, "relink_index", index, job->size);
	free(index);
	place.index = (int32_t)(address - at);
	place.size = (uint32_t)job->size;
	if (!why)
		splice_write(&job->splice, at, &place, sizeof(place));
	return why;
}

static bool same_site(const struct model_site *a, const struct model_site *b)
{
	return a->address == b->address && a->kind == b->kind && a->choice == b->choice && a->home == b->home && a->state == b->state;
}

/* Reads the result as anybody would, and compares what it says with what the relocations said. */
static const char *compare(const struct job *job)
{
	static char why[300];
	uint8_t *copy = malloc(job->splice.out_size);
	struct model *model;
	const char *wrong = NULL;

	if (!copy)
		return "out of memory";
	memcpy(copy, job->splice.out, job->splice.out_size);
	model = model_of(job->path, copy, job->splice.out_size, why, sizeof(why));
	if (!model)
		return why;
	model_connect(&model, 1);
	if (!model->has_index || model->site_count != job->model->site_count)
		wrong = "its index would not say what its relocations say; please report this";
	for (size_t i = 0; !wrong && i < model->site_count; i++)
		if (!same_site(&model->sites[i], &job->model->sites[i]))
			wrong = "its index would not say what its relocations say; please report this";
	model_close(model);
	return wrong;
}

/* Makes the new file in memory; `changed`: it differs from the old one. */
static const char *make(struct job *job, bool *changed)
{
	bool drop = job->request->drop;
	const uint8_t *bytes;
	const char *why;
	size_t size;

	bytes = model_file(job->model, &size);
	why = splice_open(&job->splice, bytes, size);
	drop = !why && drop && has_static_relocs(&job->splice);
	*changed = drop || !job->model->has_index;
	if (why || !*changed)
		return why;
	if (!job->model->has_index)
		why = add_index(job);
	if (!why && drop)
		why = splice_drop_relocs(&job->splice);
	why = why ? why : splice_finish(&job->splice);
	return why ? why : compare(job);
}

static const char *write_result(const struct job *job, bool changed)
{
	static char why[300];
	const char *out = job->request->out ? job->request->out : job->path;
	size_t size = job->splice.out_size;
	const uint8_t *bytes = job->splice.out;

	if (!changed)
		bytes = model_file(job->model, &size);
	if (!changed && !job->request->out)
		return NULL;
	return replace_file(out, job->path, bytes, size, why, sizeof(why));
}

static void say(const struct job *job, bool changed)
{
	const char *out = job->request->out ? job->request->out : job->path;

	if (job->request->quiet)
		return;
	if (job->model->has_index)
		printf("%s: has its index%s\n", out, changed ? ", relocations dropped" : ", nothing to do");
	else
		printf("%s: %zu places in %zu bytes%s\n", out, job->places, job->size, job->request->drop ? ", relocations dropped" : "");
}

static void work(struct job *job, int *status)
{
	bool changed;

	job->why = why_not_indexed(job->model);
	if (!job->why && !fits_its_records(job, status))
		return;
	if (!job->why)
		job->why = make(job, &changed);
	if (!job->why)
		job->why = write_result(job, changed);
	if (job->why)
		worse(status, STATUS_BAD);
	else
		say(job, changed);
	if (job->why)
		complain(job->path, "not indexed: %s", job->why);
}

static void index_file(const struct request *request, const char *path, int *status)
{
	struct job job = { .request = request, .path = path };
	char why[300];

	job.model = model_open(path, why, sizeof(why));
	if (!job.model) {
		complain(path, "%s", why);
		worse(status, STATUS_BAD);
		return;
	}
	model_connect(&job.model, 1);
	work(&job, status);
	splice_close(&job.splice);
	model_close(job.model);
}

/* ---- command line ---- */

static bool parse(struct request *r, int argc, char **argv, int *status)
{
	static const struct option options[] = { { "drop-relocs", no_argument, NULL, 'r' }, { "output", required_argument, NULL, 'o' },
						 { "quiet", no_argument, NULL, 'q' }, { "help", no_argument, NULL, 'h' }, { NULL, 0, NULL, 0 } };
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
	return true;
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
	for (int i = optind; i < argc; i++)
		index_file(&r, argv[i], &status);
	return status;
}

const struct command command_index = { "index", "where calls are, so that strip leaves it", help, run };
