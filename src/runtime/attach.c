/* SPDX-License-Identifier: MIT */
/*
 * attach.c - a module's constructor hands in its records; its destructor takes them back.
 *
 * What calls the loader, reads files or runs user code is done before the lock is taken. While the constructor runs no
 * thread executes the module's code, so that its sites may be rewritten in any order.
 */
#include <stdlib.h>

#include "runtime/runtime.h"

/* Conditions are user code: asked before the lock, looked up under it in the same order. */
struct conditions {
	bool *holds;
	size_t next, count;
};
static struct conditions conditions; /* of the module that is being added, under the lock */

static bool evaluate(const struct relink_variant_record *v)
{
	return (v->needs & ~rl_runtime.cpu) == 0 && (!v->condition || v->condition() != 0);
}

static struct conditions evaluate_all(const struct relink_module_header *header)
{
	struct conditions c = { 0, 0, 0 };
	const void *at = header->records_start;
	const struct relink_record *record;

	while ((record = rl_next_record(&at, header->records_stop)))
		c.count += record->kind == RELINK_RECORD_VARIANT;
	c.holds = calloc(c.count + 1, sizeof(*c.holds));
	at = header->records_start;
	for (size_t i = 0; c.holds && (record = rl_next_record(&at, header->records_stop));)
		if (record->kind == RELINK_RECORD_VARIANT)
			c.holds[i++] = evaluate((const void *)record);
	return c;
}

static bool next_condition(const struct relink_variant_record *variant)
{
	(void)variant;
	return conditions.holds && conditions.next < conditions.count && conditions.holds[conditions.next++];
}

/* Reading the module's file is worth it only where static calls or pointers exist: here, or in a module that came before. */
static bool may_have_calls(const struct relink_module_header *header)
{
	const void *at = header->records_start;
	const struct relink_record *record;

	if (__atomic_load_n(&rl_runtime.core.call_count, __ATOMIC_RELAXED) || __atomic_load_n(&rl_runtime.core.pointer_modules, __ATOMIC_RELAXED))
		return true;
	if (header->size >= offsetof(struct relink_module_header, index) && header->pointers_start < header->pointers_stop)
		return true;
	while ((record = rl_next_record(&at, header->records_stop)))
		if (record->kind == RELINK_RECORD_CALL)
			return true;
	return false;
}

/* Branches that can't follow their key stay as they were linked, or as they are if only an opinion has come. */
static void mark_pending(struct rl_core *core, struct rl_module *module, bool fresh)
{
	if (!module->pending)
		core->pending_count++;
	module->pending = true;
	module->patches_stale = module->patch_count != 0;
	for (struct rl_group *g = module->groups; g; g = g->next_in_module)
		if (g->key && (g->is_use ? g->moves && !g->data : g->key->next != (fresh ? rl_group_born(g) : g->key->state)))
			g->stale = true;
}

/* Brings a module to the current state; what can't be is left as it is and reported. */
static int settle(struct rl_module *module, bool fresh, struct relink_error *err)
{
	struct rl_core *core = &rl_runtime.core;
	struct relink_error second;
	int r = rl_settle(core, module, fresh, false, err);

	if (r >= 0)
		return 0;
	mark_pending(core, module, fresh);
	rl_settle_least(core, module, fresh, &second);
	return r;
}

static int add(struct relink_module_header *header, const struct rl_image *image, const struct rl_file *file, struct conditions c,
	       bool wanted, bool indexed, struct relink_error *err)
{
	struct rl_image_info info = { image->text_start, image->text_stop, image->path };
	struct rl_module *module;

	conditions = c;
	module = rl_module_add(&rl_runtime.core, header, &info, next_condition, err);
	if (!module)
		return RELINK_E_MEMORY;
	module->indexed = indexed;
	if (wanted) {
		rl_find_calls(module, NULL, image, file);
		rl_find_pointers(module, image, file);
	}
	rl_apply_lists(module);
	return settle(module, true, err);
}

/* ---- choice functions ---- */

static void set_opinion(struct rl_module *module, const struct relink_choose_record *record, const char *state)
{
	for (struct rl_choice *c = rl_runtime.core.choices; c; c = c->next)
		if (c->module == module && rl_same(c->name, record->choice))
			c->asked[RELINK_BY_FUNCTION] = state ? rl_want_state(&rl_runtime.core, c, state, rl_length(state)) : RL_NONE;
}

static bool run_choice_functions(struct relink_module_header *header)
{
	const void *at = header->records_start;
	const struct relink_record *record;
	struct relink_facts facts = { .size = sizeof(facts) };
	bool any = false;

	while ((record = rl_next_record(&at, header->records_stop))) {
		const struct relink_choose_record *choose = (const void *)record;
		const char *state;

		if (record->kind != RELINK_RECORD_CHOOSE)
			continue;
		if (!any)
			rl_get_facts(&facts);
		any = true;
		state = choose->fn(&facts);
		if (rl_lock(0))
			return false;
		set_opinion(header->runtime, choose, state);
		rl_unlock();
	}
	return any;
}

static int settle_opinions(struct relink_module_header *header, struct relink_error *err)
{
	int r = rl_lock(err);

	if (r)
		return r;
	r = settle(header->runtime, false, err);
	rl_unlock();
	return r;
}

static void report(const struct relink_error *err)
{
	if (rl_runtime.pending_fn)
		rl_runtime.pending_fn(err, rl_runtime.pending_ctx);
}

static int attach(struct relink_module_header *header, struct rl_image *image, struct relink_error *err)
{
	struct rl_file file = { 0, 0 };
	struct conditions c = evaluate_all(header);
	const char *why = "";
	struct relink_error second;
	bool wanted = rl_runtime.core.can_write && may_have_calls(header), indexed = wanted && rl_has_fitting_index(header, image);
	int r, earlier, opinions = 0;

	if (wanted && !indexed && rl_files_allowed() && rl_image_map_file(image, &file, &why) < 0)
		rl_remark(why);
	r = rl_lock(err);
	if (!r) {
		r = add(header, image, &file, c, wanted, indexed, err);
		rl_unlock();
	}
	free(c.holds);
	if (file.data)
		rl_file_unmap(&file);
	earlier = rl_find_earlier_calls(header, r ? &second : err);
	r = r ? r : earlier;
	if (header->runtime && run_choice_functions(header))
		opinions = settle_opinions(header, r ? &second : err);
	return r ? r : opinions;
}

void rl_pin_final_targets(void)
{
	uintptr_t target = 1;

	while (target && __atomic_load_n(&rl_runtime.core.final_moved, __ATOMIC_RELAXED) && !rl_lock(0)) {
		target = rl_final_target(&rl_runtime.core);
		rl_unlock();
		if (target)
			rl_pin_module((const void *)target);
	}
}

void rl_attach(struct relink_module_header *header)
{
	struct rl_image *image = calloc(1, sizeof(*image));
	struct relink_error err = { .code = 0 };

	if (image && rl_image_of(header, image)) {
		if (attach(header, image, &err) < 0)
			report(&err);
		rl_pin_final_targets();
	} else {
		rl_remark("a module could not be described: out of memory, or not mapped by the loader");
	}
	free(image);
	rl_agent_start_if_asked();
}

void rl_detach(struct relink_module_header *header)
{
	struct relink_error err;

	if (rl_runtime.exiting || rl_lock(&err))
		return;
	if (header->runtime)
		rl_module_remove(&rl_runtime.core, header->runtime);
	rl_unlock();
}

void rl_on_pending(relink_pending_fn *fn, void *ctx)
{
	rl_runtime.pending_fn = fn;
	rl_runtime.pending_ctx = ctx;
}
