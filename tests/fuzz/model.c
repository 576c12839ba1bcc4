/* SPDX-License-Identifier: MIT */
/*
 * model.c - fuzzes what `relink` knows of a file, and makes of it: any bytes are a file. tests/tools/hostile.c includes it and feeds it files of its own.
 */
#include <stdlib.h>
#include <string.h>

#include <relink/abi.h>

#include "checker.h"
#include "code.h"
#include "indexing.h"
#include "objectpass.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* elfutils 0.188: dwarf_getscopes forgets what it has collected when it meets an entry that can't be read. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libdw\n";
}

#define SITES 40 /* whose code is looked at; thousands would only cost time */

static void fuzz_require(bool condition)
{
	if (!condition)
		abort();
}

/* Every string is read to its end. */
static size_t fuzz_string(const char *s)
{
	return s ? strlen(s) : 0;
}

static int fuzz_form(const struct model_form *form, void *ctx)
{
	size_t *read = ctx;

	for (size_t i = 0; form->known && i < form->length; i++)
		*read += form->bytes[i];
	*read += fuzz_string(form->why);
	return 0;
}

static void fuzz_choices(const struct model *model)
{
	for (size_t i = 0; i < model->choice_count; i++) {
		const struct model_choice *c = &model->choices[i];

		fuzz_require(c->name && c->doc && c->initial < (int)c->state_count && c->table < (int)model->choice_count);
		fuzz_string(c->doc);
		fuzz_string(c->chosen_by);
		for (size_t k = 0; k < c->state_count; k++) {
			fuzz_require(c->states[k].name != NULL);
			fuzz_string(c->states[k].symbol);
			fuzz_string(c->states[k].when);
		}
	}
}

static void fuzz_site(struct model *model, const struct model_site *s)
{
	struct view view;
	size_t read = 0;

	view_of(model, s, 3, &view);
	view_free(&view);
	model_forms(model, s, fuzz_form, &read);
	free(choice_of_site(model, s));
	free(source_of(model, s->address));
}

static void fuzz_sites(struct model *model)
{
	for (size_t i = 0; i < model->site_count; i++) {
		const struct model_site *s = &model->sites[i];

		fuzz_require(s->choice < (int)model->choice_count && s->use < (int)model->use_count);
		fuzz_require(s->kind < MODEL_SITE_KINDS && (s->length != 0) == (s->kind < RL_POINTER_USE));
		fuzz_require(i == 0 || model->sites[i - 1].address <= s->address);
		fuzz_require(model_site_at(model, s->address) != NULL);
	}
	for (size_t i = 0; i < model->site_count; i += model->site_count / SITES + 1)
		fuzz_site(model, &model->sites[i]);
}

static void fuzz_uses(const struct model *model)
{
	char why[300];
	struct model_queries *queries = model_queries_read("file src/*.c; func f line 7-; format *x*y", why, sizeof(why));

	fuzz_require(queries != NULL);
	for (size_t i = 0; i < model->use_count; i++) {
		const struct model_use *u = &model->uses[i];

		fuzz_require(u->choice >= 0 && u->choice < (int)model->choice_count && u->line <= RELINK_USE_LINE);
		if (i < 1000)
			fuzz_string(u->file), fuzz_string(u->function), fuzz_string(u->text), model_use_matches(queries, model, u);
	}
	model_queries_free(queries);
}

static void fuzz_index(struct model *model)
{
	struct indexing x = { .model = model, .drop = (model->site_count & 1) != 0 };
	const char *why;

	if (indexing_refused(model))
		return;
	why = indexing_make(&x);
	fuzz_require(!why || (*why && !strchr(why, '\n')));
	fuzz_require(why || !x.changed || x.splice.out_size > 64);
	indexing_end(&x);
}

#define WISHES 12

/* Whatever the file is: it is refused, or something is made of it. What is found to be wrong is baked before it is found, too. */
static void fuzz_bake(const struct model *model, size_t salt)
{
	struct model_wish wishes[WISHES];
	struct model *self = (struct model *)(uintptr_t)model;
	struct model_order order = { wishes, 0, &self, 1, { 0xffff0000ffff, 0xf00000000000 } };
	struct model_baking baking;
	char name[600], why[300] = "";
	size_t count = 0;

	for (size_t i = salt % 3; i < model->choice_count && count < WISHES; i += model->choice_count / WISHES + 1) {
		const struct model_choice *c = &model->choices[i];
		const char *state = c->state_count ? c->states[(i + salt) % c->state_count].name : "1";

		snprintf(name, sizeof(name), "%.250s=%.250s", c->name, state);
		if (model_wish_of(model, name, strlen(name), &wishes[count], why, sizeof(why)))
			fuzz_require(wishes[count].choice >= 0 && wishes[count++].state >= 0);
		else
			fuzz_require(*why != 0);
	}
	*why = 0;
	order.wish_count = count;
	if (!model_bake(model, &order, &baking, why, sizeof(why))) {
		fuzz_require(*why != 0 && !baking.bytes && !baking.tallies);
		return;
	}
	fuzz_require(baking.bytes && baking.tallies);
	free(baking.bytes);
	free(baking.tallies);
	free(baking.states);
}

/* Some of the work is done for some files alone, the same in every run: copies and decoding cost more than all the rest. */
static unsigned fuzz_sum(const uint8_t *bytes, size_t size)
{
	unsigned sum = (unsigned)size;

	for (size_t i = 0; i < size; i += 61)
		sum += bytes[i];
	return sum;
}

/* What has its tables is left alone. */
static void fuzz_object(const uint8_t *bytes, size_t size)
{
	struct object_result r = object_pass(bytes, size, (size & 1) != 0), again;

	fuzz_require(r.state == OBJECT_CHANGED || !r.bytes);
	fuzz_require((r.state != OBJECT_FOREIGN && r.state != OBJECT_BROKEN) || (r.why && *r.why));
	if (r.state != OBJECT_CHANGED)
		return;
	again = object_pass(r.bytes, r.size, true);
	fuzz_require(again.state == OBJECT_DONE || again.state == OBJECT_BROKEN);
	free(r.bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static const struct checker_options options = { 0 };
	unsigned sum = fuzz_sum(bytes, size);
	bool baked = sum % 8 == 0;
	uint8_t *copy = malloc(size ? size : 1);
	struct model *model;
	char why[300] = "";

	if (!copy)
		return 0;
	memcpy(copy, bytes, size);
	fuzz_object(bytes, size);
	model = model_of("fuzz", copy, size, why, sizeof(why));
	if (!model) {
		fuzz_require(*why && !strchr(why, '\n'));
		return 0;
	}
	model_connect(&model, 1);
	fuzz_choices(model);
	fuzz_sites(model);
	fuzz_uses(model);
	if (baked)
		fuzz_bake(model, size);
	model_check(model);
	if (baked)
		fuzz_bake(model, size + 1);
	if (model->is_object || sum % 4 == 1)
		checker_run(&model, 1, &options);
	for (size_t i = 0; i < model->finding_count; i++)
		fuzz_require(model_finding_name(model->findings[i].number) && *model->findings[i].text);
	if (sum % 8 == 2)
		fuzz_index(model);
	model_close(model);
	return 0;
}
