/* SPDX-License-Identifier: MIT */
/* module.c - modules come and go. */
#include "core/core.h"

#define PAGE 4096u

static struct rl_module *new_module(struct rl_core *core, struct relink_module_header *header, const struct rl_image_info *image)
{
	struct rl_module *m = core->hooks->alloc(sizeof(*m));

	if (!m)
		return 0;
	m->header = header;
	m->branches = header->branch_start;
	m->branch_count = (size_t)(header->branch_stop - header->branch_start);
	if (header->size >= offsetof(struct relink_module_header, pointers_start) && header->use_start) {
		m->uses = header->use_start;
		m->use_count = (size_t)(header->use_stop - header->use_start);
	}
	m->uses_indexed = !m->use_count;
	m->patches = header->patch_start;
	m->patch_count = (size_t)(header->patch_stop - header->patch_start);
	m->text_start = image->text_start;
	m->text_stop = image->text_stop;
	m->pages = (m->text_stop + PAGE - 1) / PAGE - m->text_start / PAGE;
	m->private_pages = core->hooks->alloc(m->pages / 8 + 1);
	m->path = rl_copy_string(core, image->path);
	if (!m->private_pages || !m->path)
		return 0;
	m->name = m->path;
	for (const char *p = m->path; *p; p++)
		if (*p == '/')
			m->name = p + 1;
	return m;
}

struct rl_module *rl_module_add(struct rl_core *core, struct relink_module_header *header, const struct rl_image_info *image,
				rl_condition *condition, struct relink_error *err)
{
	struct rl_module *m;

	if (header->abi != RELINK_ABI || header->size < offsetof(struct relink_module_header, use_start)) {
		rl_fail(err, RELINK_E_RUNTIME, 0, "the module was built for another version of relink; rebuild it");
		return 0;
	}
	m = new_module(core, header, image);
	if (!m) {
		rl_fail(err, RELINK_E_MEMORY, 0, "out of memory while taking in a module");
		return 0;
	}
	m->next = core->modules;
	core->modules = m;
	core->module_count++;
	core->unindexed += !m->uses_indexed;
	rl_count_change(core);
	if (!rl_add_choices(core, m) || !rl_add_rules(core, m, condition) || !rl_admit_waiting(core))
		rl_fail(err, RELINK_E_MEMORY, 0, "out of memory while taking in a module");
	rl_read_baked(core, m);
	if (!rl_add_branches(core, m) || !rl_add_trampolines(core, m) || !rl_add_pointers(core, m) || !rl_add_patches(core, m))
		rl_fail(err, RELINK_E_MEMORY, 0, "out of memory while taking in a module");
	header->runtime = m;
	return m;
}

static void unlink_module(struct rl_core *core, struct rl_module *module)
{
	struct rl_module **at = &core->modules;

	while (*at && *at != module)
		at = &(*at)->next;
	if (*at)
		*at = module->next;
	core->module_count--;
}

void rl_module_remove(struct rl_core *core, struct rl_module *module)
{
	struct relink_error err;

	rl_withdraw_variants(core, module);
	/* Calls and sequences bound to functions of this module go to the best of those that remain. */
	if (rl_settle(core, 0, false, false, &err) < 0 && rl_settle_least(core, 0, false, &err) < 0 &&
	    rl_settle_stopped(core, &err) < 0 && !core->degraded) {
		struct rl_text t = rl_text_into(core->degraded_text, sizeof(core->degraded_text));

		core->degraded = true;
		rl_text_add(&t, "a module left and calls to it could not be rebound: ");
		rl_text_add(&t, err.text);
	}
	rl_old_forget_range(core, module->text_start, module->text_stop);
	rl_remove_drives(core, module);
	rl_remove_marks(core, module);
	rl_remove_groups(core, module);
	rl_remove_uses(core, module);
	rl_remove_patches(core, module);
	rl_remove_choices(core, module);
	rl_remove_pointers(core, module);
	unlink_module(core, module);
	core->removals++;
	rl_count_change(core);
	core->pending_count -= module->pending;
	module->header->runtime = 0;
	core->hooks->free(module->private_pages);
	core->hooks->free((void *)(uintptr_t)module->path);
	core->hooks->free(module);
}
