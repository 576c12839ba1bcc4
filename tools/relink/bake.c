/* SPDX-License-Identifier: MIT */
/* bake.c - `relink bake`: a file in which choices are decided, and which writes no code for them when it runs. */
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <relink/abi.h>

#include "output.h"
#include "relink.h"

static const char help[] =
	"usage: relink bake [OPTION]... FILE NAME=STATE... -o OUT\n"
	"\n"
	"Writes a copy of a program or shared object in which choices are decided: their sites hold the code of that state, and no\n"
	"code is written for them at run time. They are listed as baked, and nobody can change them. Baking a baked file decides\n"
	"more of it.\n"
	"\n"
	"  -o, --output OUT         the new file; never FILE itself\n"
	"      --cpu LIST           what all processors have that will run it: x86-64-v2, x86-64-v3, x86-64-v4, avx2, ...; -avx512f: none\n"
	"                           has it; -*: nothing else. Decides alternatives that depend on features\n"
	"  -w, --with OTHER         a baked file that defines choices which FILE uses: FILE's own code follows it\n"
	"      --json               for programs; see relink(1) for the keys\n"
	"      --color WHEN         auto, always or never\n"
	"\n"
	"NAME alone means NAME=on; several may stand in one argument, with commas between.\n";

#define WITH_MAX 64

struct request {
	struct common common;
	const char *output, *cpu_list;
	char *files[WITH_MAX + 1]; /* the one that is baked, and those that it uses */
	size_t file_count;
	struct model_cpu cpu;
	struct model_wish *wishes;
	size_t wish_count;
};

/* ---- what was done ---- */

static bool any(const uint64_t counts[MODEL_SITE_KINDS])
{
	for (int i = 0; i < MODEL_SITE_KINDS; i++)
		if (counts[i])
			return true;
	return false;
}

static const char *state_of(const struct model *baked, const struct model_wish *wish)
{
	return default_of(&baked->choices[wish->choice]);
}

/* What another file has decided; numbers have no names there. */
static bool is_followed(const struct model *model, const struct model_baking *b, size_t i)
{
	return (model->choices[i].elsewhere || model->choices[i].anonymous) && b->states[i] != MODEL_NONE;
}

static const char *followed_state(const struct model *model, const struct model_baking *b, size_t i)
{
	const struct model_choice *c = &model->choices[i];

	return c->kind == MODEL_KEY && b->states[i] >= 0 && (size_t)b->states[i] < c->state_count ? c->states[b->states[i]].name : "";
}

static void put_row(struct table *t, const char *name, const char *state, const struct model_tally *tally)
{
	char *written = counts_text(tally->written), *left = counts_text(tally->left);

	table_cell(t, GREEN, "%s", name);
	table_cell(t, CYAN, "%s", state);
	if (tally->uses)
		table_cell(t, PLAIN, "%s%s%" PRIu64 " use", written, *written ? ", " : "", tally->uses);
	else
		table_cell(t, PLAIN, "%s", written);
	table_cell(t, YELLOW, "%s", left);
	free(written);
	free(left);
}

static bool has_calls(const struct model *model, const struct request *r)
{
	for (size_t i = 0; i < r->wish_count; i++)
		if (model->choices[r->wishes[i].choice].kind == MODEL_CALL || model->choices[r->wishes[i].choice].kind == MODEL_OPS)
			return true;
	return false;
}

/* Whoever runs the file on another machine has to know. */
static void put_needs(const struct model *model, const struct model_wish *wish)
{
	const struct model_choice *c = &model->choices[wish->choice];
	const struct model_state *s = c->kind == MODEL_IMMEDIATE ? NULL : &c->states[wish->state];
	char *needs;

	if (!s || (!s->needs && !s->condition))
		return;
	needs = features_of(s->needs);
	text_put(YELLOW, "  %s=%s needs%s%s%s wherever it runs", c->name, s->name, *needs ? " " : "", needs,
		 s->condition ? *needs ? ", and that its condition holds," : " that its condition holds" : "");
	putchar('\n');
	free(needs);
}

static void put_result(const struct request *r, const struct model *model, const struct model *baked, const struct model_baking *b)
{
	static const char *const names[] = { "CHOICE", "STATE", "WRITTEN", "LEFT" };
	const struct model_tally *features = &b->tallies[model->choice_count];
	struct table t = { .columns = sizeof(names) / sizeof(*names) };
	bool left = any(features->left);

	text_put(BOLD, "%s", r->output);
	text_put(PLAIN, ": %s for %s, from %s", model->type, model->port->name, model->path);
	putchar('\n');
	for (size_t i = 0; i < t.columns; i++)
		table_cell(&t, BOLD, "%s", names[i]);
	for (size_t i = 0; i < r->wish_count; i++) {
		const struct model_tally *tally = &b->tallies[r->wishes[i].choice];

		put_row(&t, model->choices[r->wishes[i].choice].name, state_of(baked, &r->wishes[i]), tally);
		left |= tally->left[RL_ALTERNATIVE] != 0;
	}
	for (size_t i = 0; i < model->choice_count; i++)
		if (is_followed(model, b, i))
			put_row(&t, model->choices[i].name, followed_state(model, b, i), &b->tallies[i]);
	if (any(features->written) || any(features->left))
		put_row(&t, "(processor features)", "", features);
	table_print(&t, 2, true);
	for (size_t i = 0; i < r->wish_count; i++)
		put_needs(model, &r->wishes[i]);
	if (has_calls(model, r) && !model->has_relocs)
		puts("  its calls are not known (no kept relocations): they go through trampolines, which are baked");
	if (left)
		puts("  alternatives are left that also depend on what is not decided: name those choices, or --cpu");
}

static void write_tally(struct json *j, const struct model_tally *tally)
{
	json_counts(j, "written", tally->written);
	json_counts(j, "left", tally->left);
	json_number(j, "uses", tally->uses);
}

static void write_result(const struct request *r, const struct model *model, const struct model *baked, const struct model_baking *b)
{
	struct json j = { .out = stdout };

	json_begin(&j);
	json_file(&j, model);
	json_string(&j, "output", r->output);
	json_array(&j, "baked");
	for (size_t i = 0; i < r->wish_count; i++) {
		json_object(&j, NULL);
		json_string(&j, "name", model->choices[r->wishes[i].choice].name);
		json_string(&j, "state", state_of(baked, &r->wishes[i]));
		write_tally(&j, &b->tallies[r->wishes[i].choice]);
		json_end_object(&j);
	}
	json_end_array(&j);
	json_array(&j, "followed");
	for (size_t i = 0; i < model->choice_count; i++)
		if (is_followed(model, b, i)) {
			json_object(&j, NULL);
			json_string(&j, "name", model->choices[i].name);
			json_string(&j, "state", followed_state(model, b, i));
			write_tally(&j, &b->tallies[i]);
			json_end_object(&j);
		}
	json_end_array(&j);
	json_object(&j, "features");
	write_tally(&j, &b->tallies[model->choice_count]);
	json_end_object(&j);
	json_end_object(&j);
}

/* ---- doing it ---- */

/* NAME=STATE,NAME=STATE */
static bool take_wishes(struct request *r, const struct model *model, const char *list)
{
	char why[500];

	while (*list) {
		size_t length = strcspn(list, ", ");
		struct model_wish *grown = realloc(r->wishes, (r->wish_count + 1) * sizeof(*grown));

		if (!grown) {
			complain(NULL, "out of memory");
			return false;
		}
		r->wishes = grown;
		if (length && !model_wish_of(model, list, length, &r->wishes[r->wish_count], why, sizeof(why))) {
			complain(model->path, "%s", why);
			return false;
		}
		r->wish_count += length != 0;
		list += length + (list[length] != 0);
	}
	return true;
}

/* Reads what is to be written as whoever comes next will. */
static struct model *proved(const struct request *r, const struct model_baking *b)
{
	uint8_t *copy = malloc(b->size ? b->size : 1);
	char why[300] = "out of memory";
	struct model *model = NULL;
	bool good = true;

	if (copy) {
		memcpy(copy, b->bytes, b->size);
		model = model_of(r->output, copy, b->size, why, sizeof(why));
	}
	if (!model) {
		complain(r->output, "would not be sound: %s", why);
		return NULL;
	}
	model_connect(&model, 1);
	model_check(model);
	for (size_t i = 0; i < model->finding_count; i++)
		good &= !model_finding_is_error(model->findings[i].number);
	for (size_t i = 0; i < r->wish_count; i++) {
		const struct model_choice *c = &model->choices[r->wishes[i].choice];

		good &= c->baked && (c->kind == MODEL_IMMEDIATE ? c->value == r->wishes[i].number : c->initial == r->wishes[i].state);
	}
	if (good)
		return model;
	complain(r->output, "would not be sound, nothing is written: %s",
		 model->finding_count ? model->findings[0].text : "a choice is not baked");
	model_close(model);
	return NULL;
}

static int bake(const struct request *r, struct model **models, size_t count)
{
	struct model *model = models[0];
	struct model_order order = { r->wishes, r->wish_count, models + 1, count - 1, r->cpu };
	struct model_baking b;
	struct model *baked;
	int status = STATUS_BAD;
	char why[500];

	model_check(model);
	if (!model_bake(model, &order, &b, why, sizeof(why))) {
		complain(model->path, "%s", why);
		return STATUS_BAD;
	}
	baked = proved(r, &b);
	if (baked && !output_write(r->output, model->path, b.bytes, b.size, why, sizeof(why)))
		complain(r->output, "%s", why);
	else if (baked)
		status = STATUS_FINE;
	if (status == STATUS_FINE)
		(r->common.json ? write_result : put_result)(r, model, baked, &b);
	model_close(baked);
	free(b.bytes);
	free(b.tallies);
	free(b.states);
	return status;
}

/* ---- command line ---- */

static bool parse(struct request *r, int argc, char **argv, int *status)
{
	static const struct option options[] = {
		{ "output", required_argument, NULL, 'o' }, { "cpu", required_argument, NULL, 'c' },
		{ "with", required_argument, NULL, 'w' }, COMMON_OPTIONS, { NULL, 0, NULL, 0 }
	};
	char why[300];
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, ":o:w:h", options, NULL)) != -1) {
		if (option == 'o')
			r->output = optarg;
		else if (option == 'c')
			r->cpu_list = optarg;
		else if (option == 'w' && r->file_count <= WITH_MAX)
			r->files[r->file_count++] = optarg;
		else if (!common_option(&command_bake, &r->common, option, argv, status))
			return false;
	}
	*status = STATUS_BAD;
	if (optind == argc)
		complain(NULL, "bake: which file? see relink help bake");
	else if (!r->output || !*r->output)
		complain(NULL, "bake: which output? -o OUT");
	else if (optind + 1 == argc && !r->cpu_list && r->file_count == 1)
		complain(NULL, "bake: what? name=state, --with or --cpu");
	else if (r->cpu_list && !model_cpu_of(r->cpu_list, &r->cpu, why, sizeof(why)))
		complain(NULL, "bake: --cpu: %s", why);
	else
		return common_ready(&r->common, status);
	return false;
}

static int run(int argc, char **argv)
{
	struct request r = { .file_count = 1 };
	int status = STATUS_BAD;
	struct model **models;
	size_t opened;
	bool ok;

	if (!parse(&r, argc, argv, &status))
		return status;
	status = STATUS_FINE;
	r.files[0] = argv[optind];
	models = open_all(r.files, r.file_count, &opened, &status);
	ok = are_files(&command_bake, models, opened, &status) && status == STATUS_FINE;
	for (int i = optind + 1; i < argc && ok; i++)
		ok = take_wishes(&r, models[0], argv[i]);
	status = ok ? bake(&r, models, opened) : STATUS_BAD;
	close_all(models, opened);
	free(r.wishes);
	return status;
}

const struct command command_bake = { "bake", help, run };
