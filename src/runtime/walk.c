/* SPDX-License-Identifier: MIT */
/*
 * walk.c - all sites, or all uses, some at a time, module by module. Between two calls the lock may be let go: what has come meanwhile may
 * be missed, and once a module has gone the walk is lost.
 */
#include "runtime/runtime.h"

static void enter(struct rl_walk *walk, struct rl_module *module)
{
	walk->module = module;
	walk->group = module ? module->groups : 0;
	walk->at = 0;
	walk->stage = module ? RL_WALK_GROUPS : RL_WALK_END;
}

static void site_of_group(const struct rl_walk *walk, struct relink_site_info *site)
{
	const struct rl_group *g = walk->group;
	size_t i = walk->at;

	site->address = rl_group_address(g, i);
	site->kind = g->key ? RELINK_SITE_BRANCH : g->sites[i].kind;
	site->reason = g->key ? (g->stale ? RELINK_INDIRECT : RELINK_BOUND) : g->sites[i].reason;
	site->choice = g->key ? g->key->owner->name : g->call->name;
}

/* The next place in groups: of uses alone, or of sites, which uses without code are not. */
static bool next_place(struct rl_walk *walk, bool uses)
{
	for (; walk->group; walk->group = walk->group->next_in_module, walk->at = 0)
		if (walk->at < walk->group->count && (uses ? walk->group->is_use : !walk->group->data))
			return true;
	return false;
}

static bool next_in_groups(struct rl_walk *walk, struct relink_site_info *site)
{
	if (next_place(walk, false)) {
		site_of_group(walk, site);
		walk->at++;
		return true;
	}
	walk->stage = RL_WALK_PATCHES;
	walk->at = 0;
	return false;
}

static bool next_in_patches(struct rl_walk *walk, struct relink_site_info *site)
{
	const struct rl_module *m = walk->module;
	const struct rl_choice *choice;

	while (walk->at < m->patch_count) {
		const struct relink_patch_record *patch = &m->patches[walk->at];

		if (!rl_patch_at(&rl_runtime.core, m, walk->at++, &choice))
			continue;
		site->address = rl_patch_site(patch);
		site->kind = rl_kind_of_patch(patch);
		site->reason = rl_reason_of_patch(m, patch);
		site->choice = choice ? choice->name : "";
		return true;
	}
	enter(walk, m->next);
	return false;
}

static void begin(struct rl_walk *walk)
{
	if (walk->stage == RL_WALK_START) {
		rl_index_all_uses(&rl_runtime.core);
		walk->removals = rl_runtime.core.removals;
		enter(walk, rl_runtime.core.modules);
	}
	if (walk->removals != rl_runtime.core.removals)
		walk->stage = RL_WALK_LOST;
}

bool rl_walk_next(struct rl_walk *walk, struct relink_site_info *site)
{
	begin(walk);
	while (walk->stage == RL_WALK_GROUPS || walk->stage == RL_WALK_PATCHES) {
		*site = (struct relink_site_info){ .size = sizeof(*site), .module = walk->module->name };
		if (walk->stage == RL_WALK_GROUPS ? next_in_groups(walk, site) : next_in_patches(walk, site))
			return true;
	}
	return false;
}

bool rl_walk_next_use(struct rl_walk *walk, struct relink_use_info *use)
{
	begin(walk);
	while (walk->stage == RL_WALK_GROUPS) {
		if (next_place(walk, true)) {
			rl_describe_use(walk->group, walk->at++, use);
			return true;
		}
		enter(walk, walk->module->next);
	}
	return false;
}
