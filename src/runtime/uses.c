/* SPDX-License-Identifier: MIT */
/* uses.c - lists the uses of keys that are choices of their own. */
#include "runtime/runtime.h"

void rl_describe_use(const struct rl_group *g, size_t i, struct relink_use_info *info)
{
	const struct relink_use_record *use = rl_group_use(g, i);
	struct rl_use_state state = rl_use_state(g, i);

	*info = (struct relink_use_info){ .size = sizeof(*info), .key = g->key->owner->name, .module = g->module->name,
					  .state = state.on, .decided_by = state.decided_by, .reason = g->stale ? RELINK_INDIRECT : RELINK_BOUND,
					  .address = rl_branch_site(&use->branch), .line = use->line & RELINK_USE_LINE,
					  .file = rl_use_file(use), .function = rl_use_function(use), .text = rl_use_text(use) };
}

static int visit_group(const struct rl_group *g, int (*visit)(const struct relink_use_info *info, void *ctx), void *ctx)
{
	struct relink_use_info info;
	int r = 0;

	for (size_t i = 0; i < g->count && !r; i++) {
		rl_describe_use(g, i, &info);
		r = visit(&info, ctx);
	}
	return r;
}

static int visit_choice(const struct rl_choice *c, int (*visit)(const struct relink_use_info *info, void *ctx), void *ctx)
{
	int r = 0;

	for (size_t k = 0; k < c->key_count && !r; k++)
		for (const struct rl_group *g = c->keys[k].groups; g && !r; g = g->next)
			r = g->is_use ? visit_group(g, visit, ctx) : 0;
	return r;
}

int rl_each_use(int (*visit)(const struct relink_use_info *info, void *ctx), void *ctx)
{
	int r;

	if (!visit)
		return RELINK_E_ARGUMENT;
	r = rl_lock(0);
	if (r)
		return r;
	if (!rl_index_all_uses(&rl_runtime.core))
		r = RELINK_E_MEMORY;
	for (const struct rl_choice *c = rl_runtime.core.choices; c && !r; c = c->next)
		r = visit_choice(c, visit, ctx);
	rl_unlock();
	return r;
}
