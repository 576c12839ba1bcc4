/* SPDX-License-Identifier: MIT */
/* list.c - what the runtime knows: status, choices, sites. */
#include "runtime/runtime.h"

int rl_get_facts(struct relink_facts *facts)
{
	int r;

	if (!facts || facts->size < sizeof(*facts))
		return RELINK_E_ARGUMENT;
	r = rl_lock(0);
	if (r)
		return r;
	facts->threads = rl_threads();
	if (facts->threads > rl_agent_threads())
		facts->threads -= rl_agent_threads();
	rl_unlock();
	facts->cpus = rl_cpus();
	facts->reserved = 0;
	facts->cpu = rl_runtime.cpu;
	return RELINK_OK;
}

int rl_kind_of_patch(const struct relink_patch_record *patch)
{
	static const int kinds[] = { [RELINK_PATCH_LOCK] = RELINK_SITE_LOCK, [RELINK_PATCH_IMMEDIATE] = RELINK_SITE_IMMEDIATE,
				     [RELINK_PATCH_ALTERNATIVE] = RELINK_SITE_ALTERNATIVE, [RELINK_PATCH_SEQUENCE] = RELINK_SITE_SEQUENCE };

	return kinds[patch->kind];
}

int rl_reason_of_patch(const struct rl_module *module, const struct relink_patch_record *patch)
{
	return module->patches_stale && !rl_is_baked_patch(patch) ? RELINK_INDIRECT : RELINK_BOUND;
}

struct counts {
	uint64_t *by_reason;
	uint64_t (*by_kind)[RELINK_REASONS];
};

static int count_patch(const struct rl_module *module, const struct relink_patch_record *patch, void *ctx)
{
	const struct counts *counts = ctx;

	counts->by_reason[rl_reason_of_patch(module, patch)]++;
	counts->by_kind[rl_kind_of_patch(patch)][rl_reason_of_patch(module, patch)]++;
	return 0;
}

static void count_patches(const struct rl_choice *c, uint64_t by_reason[RELINK_REASONS], uint64_t by_kind[][RELINK_REASONS])
{
	struct counts counts = { by_reason, by_kind };

	if (!c || rl_has_patches(c))
		rl_each_patch(&rl_runtime.core, c, count_patch, &counts);
}

static void count_sites(const struct rl_choice *c, uint64_t by_reason[RELINK_REASONS], uint64_t by_kind[][RELINK_REASONS])
{
	for (size_t k = 0; k < c->key_count; k++)
		for (const struct rl_group *g = c->keys[k].groups; g; g = g->next) {
			if (g->data) /* no code */
				continue;
			by_reason[g->stale ? RELINK_INDIRECT : RELINK_BOUND] += g->count;
			by_kind[RELINK_SITE_BRANCH][g->stale ? RELINK_INDIRECT : RELINK_BOUND] += g->count;
		}
	for (const struct rl_group *g = c->groups; g; g = g->next)
		for (size_t i = 0; i < g->count; i++) {
			by_reason[g->sites[i].reason]++;
			by_kind[g->sites[i].kind][g->sites[i].reason]++;
		}
	count_patches(c, by_reason, by_kind);
}

static void describe_mode(char *buffer, size_t size)
{
	struct rl_text t = rl_text_into(buffer, size);
	const struct rl_core *core = &rl_runtime.core;

	if (core->degraded) {
		rl_text_add(&t, "degraded: ");
		rl_text_add(&t, core->degraded_text);
	} else if (!core->can_write) {
		rl_text_add(&t, "indirect: ");
		rl_text_add(&t, core->why);
	} else if (core->lost) {
		rl_text_add(&t, "direct until now: ");
		rl_text_add(&t, core->lost);
	} else {
		rl_text_add(&t, core->can_sync ? "direct" : "direct at start-up only: ");
		rl_text_add(&t, core->can_sync ? "" : core->why);
	}
}

static void fill_status(struct relink_status *s)
{
	const struct rl_core *core = &rl_runtime.core;
	uint64_t unused[RELINK_REASONS] = { 0 };

	rl_index_all_uses(&rl_runtime.core);
	s->abi = RELINK_ABI;
	s->arch = core->port->name;
	s->writer = rl_runtime.abilities.writer;
	s->barrier = rl_runtime.abilities.barrier_name;
	describe_mode(s->mode, sizeof(s->mode));
	rl_list_notes(s->notes, sizeof(s->notes));
	rl_describe_locks(s->locks, sizeof(s->locks));
	s->one_store = core->one_store;
	s->traps = core->traps;
	s->modules = (uint32_t)core->module_count;
	s->pending = (uint32_t)core->pending_count;
	s->commits = core->commits;
	s->barriers = core->barriers;
	s->writes = core->writes;
	s->memory = core->memory;
	for (const struct rl_choice *c = core->choices; c; c = c->next)
		count_sites(c, unused, s->sites);
	count_patches(0, unused, s->sites);
}

int rl_get_status(struct relink_status *status)
{
	uint32_t size;
	int r;

	if (!status || status->size < sizeof(*status))
		return RELINK_E_ARGUMENT;
	size = status->size;
	r = rl_lock(0);
	if (r)
		return r;
	*status = (struct relink_status){ .size = size };
	fill_status(status);
	rl_unlock();
	return RELINK_OK;
}

void rl_describe_choice(const struct rl_choice *c, struct relink_choice_info *info)
{
	uint64_t kinds[RELINK_SITE_KINDS][RELINK_REASONS] = { { 0 } };

	*info = (struct relink_choice_info){ .size = sizeof(*info), .kind = c->kind, .flags = c->flags, .decided_by = c->decided_by,
					     .name = c->name, .doc = c->doc, .module = c->module ? c->module->name : "",
					     .state = rl_state_name(c, c->state), .initial = rl_state_name(c, c->initial),
					     .states = c->states, .usable = c->usable, .count = c->count };
	if (c->kind == RELINK_IMM) /* any number */
		info->count = 0;
	for (int level = 0; level < RELINK_LEVELS; level++)
		info->asked[level] = rl_state_name(c, c->asked[level]);
	count_sites(c, info->sites, kinds);
	for (size_t i = 0; i < c->member_count; i++)
		count_sites(c->members[i], info->sites, kinds);
}

static int visit_choice(const struct rl_choice *c, int (*visit)(const struct relink_choice_info *info, void *ctx), void *ctx)
{
	struct relink_choice_info info;

	rl_describe_choice(c, &info);
	return visit(&info, ctx);
}

int rl_each_choice(int (*visit)(const struct relink_choice_info *info, void *ctx), void *ctx)
{
	int r;

	if (!visit)
		return RELINK_E_ARGUMENT;
	r = rl_lock(0);
	if (r)
		return r;
	rl_index_all_uses(&rl_runtime.core);
	for (const struct rl_choice *c = rl_runtime.core.choices; c && !r; c = c->next)
		if (!c->owner) /* its table stands for it */
			r = rl_is_listed(&rl_runtime.core, c) ? visit_choice(c, visit, ctx) : 0;
	rl_unlock();
	return r;
}

static int visit_group(const struct rl_group *g, const struct rl_choice *c,
		       int (*visit)(const struct relink_site_info *info, void *ctx), void *ctx)
{
	struct relink_site_info info = { .size = sizeof(info), .choice = c->name, .module = g->module->name };
	int r = 0;

	for (size_t i = 0; i < g->count && !g->data && !r; i++) {
		info.address = rl_group_address(g, i);
		info.kind = g->key ? RELINK_SITE_BRANCH : g->sites[i].kind;
		info.reason = g->key ? (g->stale ? RELINK_INDIRECT : RELINK_BOUND) : g->sites[i].reason;
		r = visit(&info, ctx);
	}
	return r;
}

struct patch_visit {
	int (*visit)(const struct relink_site_info *info, void *ctx);
	void *ctx;
	const char *choice;
};

static int visit_patch(const struct rl_module *module, const struct relink_patch_record *patch, void *ctx)
{
	const struct patch_visit *v = ctx;
	struct relink_site_info info = { .size = sizeof(info), .kind = rl_kind_of_patch(patch), .reason = rl_reason_of_patch(module, patch),
					 .address = rl_patch_site(patch), .choice = v->choice, .module = module->name };

	return v->visit(&info, v->ctx);
}

/* Without a choice: what features alone decide. */
static int visit_patches(const struct rl_choice *c, int (*visit)(const struct relink_site_info *info, void *ctx), void *ctx)
{
	struct patch_visit v = { visit, ctx, c ? c->name : "" };

	return !c || rl_has_patches(c) ? rl_each_patch(&rl_runtime.core, c, visit_patch, &v) : 0;
}

static int visit_sites(const struct rl_choice *c, int (*visit)(const struct relink_site_info *info, void *ctx), void *ctx)
{
	int r = 0;

	for (size_t k = 0; k < c->key_count; k++)
		for (const struct rl_group *g = c->keys[k].groups; g && !r; g = g->next)
			r = visit_group(g, c, visit, ctx);
	for (const struct rl_group *g = c->groups; g && !r; g = g->next)
		r = visit_group(g, c, visit, ctx);
	return r ? r : visit_patches(c, visit, ctx);
}

int rl_each_site(int (*visit)(const struct relink_site_info *info, void *ctx), void *ctx)
{
	int r;

	if (!visit)
		return RELINK_E_ARGUMENT;
	r = rl_lock(0);
	if (r)
		return r;
	rl_index_all_uses(&rl_runtime.core);
	for (const struct rl_choice *c = rl_runtime.core.choices; c && !r; c = c->next)
		r = visit_sites(c, visit, ctx);
	r = r ? r : visit_patches(0, visit, ctx);
	rl_unlock();
	return r;
}
