/* SPDX-License-Identifier: MIT */
/*
 * use.c - per-use keys: branches that have opinions of their own. They are grouped by key like all branches, but not before
 * somebody asks for them: until then they are as linked, and a module with a hundred thousand costs nothing.
 *
 * A use has one word: what each level asked for, two bits each, and whether its code expresses "on"; in the upper half
 * the same for the commit in progress, so that a commit can be given up without having been remembered anywhere.
 */
#include "core/core.h"

#define ASKED 0x3fffu
#define ON 0x4000u
#define MATCHED 0x8000u
#define LOWER 0xffffu
#define NEXT 16 /* the upper half */

_Static_assert(2 * RELINK_LEVELS == 14, "two bits for each level");

/* ---- from records to groups ---- */

static bool is_data(const struct relink_use_record *use)
{
	return (use->line & RELINK_USE_DATA) != 0;
}

static bool born(const struct relink_use_record *use)
{
	return (rl_branch_flags(&use->branch) & RELINK_BRANCH_TRUE_KEY) != 0;
}

static bool usable(const struct rl_module *module, const struct relink_use_record *use)
{
	uintptr_t site = rl_branch_site(&use->branch);

	return rl_branch_key(&use->branch) && (is_data(use) || (site >= module->text_start && site < module->text_stop));
}

static struct rl_group *find_group(const struct rl_module *module, const struct relink_use_record *use, const struct rl_key *key)
{
	struct rl_group *g = key->groups;

	while (g && !(g->module == module && g->is_use && g->data == is_data(use)))
		g = g->next;
	return g;
}

static struct rl_group *add_group(struct rl_core *core, struct rl_module *module, const struct relink_use_record *use)
{
	struct relink_key *key = rl_branch_key(&use->branch);
	struct rl_key *k = key->choice;
	struct rl_group *g;

	if (!k)
		k = rl_anonymous_key(core, module, key, born(use));
	if (!k)
		return 0;
	g = find_group(module, use, k);
	if (g)
		return g;
	g = rl_new_group(core, module);
	if (!g)
		return 0;
	g->is_use = true;
	g->data = is_data(use);
	g->key = k;
	g->next = k->groups;
	k->groups = g;
	return g;
}

/* Neighbours have the same key as a rule. */
static struct rl_group *group_of(struct rl_core *core, struct rl_module *module, const struct relink_use_record *use,
				 struct rl_group *last)
{
	if (last && last->key == rl_branch_key(&use->branch)->choice && last->data == is_data(use))
		return last;
	return add_group(core, module, use);
}

static bool count_uses(struct rl_core *core, struct rl_module *module, size_t *count)
{
	struct rl_group *g = 0;

	for (size_t i = 0; i < module->use_count; i++) {
		if (!usable(module, &module->uses[i]))
			continue;
		g = group_of(core, module, &module->uses[i], g);
		if (!g)
			return false;
		g->count++;
		++*count;
	}
	return true;
}

static void place_groups(struct rl_module *module)
{
	uint32_t *order = module->use_order, *word = module->use_words;

	for (struct rl_group *g = module->groups; g; g = g->next_in_module) {
		if (!g->is_use)
			continue;
		g->order = order;
		g->words = word;
		order += g->count;
		word += g->count;
		g->count = 0;
	}
}

static void fill_groups(struct rl_core *core, struct rl_module *module)
{
	struct rl_group *g = 0;

	for (size_t i = 0; i < module->use_count; i++)
		if (usable(module, &module->uses[i])) {
			g = group_of(core, module, &module->uses[i], g);
			g->order[g->count++] = (uint32_t)i;
		}
}

static void finish_groups(struct rl_module *module)
{
	for (struct rl_group *g = module->groups; g; g = g->next_in_module) {
		if (!g->is_use)
			continue;
		rl_sort_group(g);
		for (size_t i = 0; i < g->count; i++)
			g->words[i] = born(rl_group_use(g, i)) ? ON : 0;
	}
}

/* Groups that could not be filled for want of memory go, so that the next one who asks can try again. */
static void forget_groups(struct rl_core *core, struct rl_module *module)
{
	struct rl_group **at = &module->groups;

	while (*at) {
		struct rl_group *g = *at;

		if (!g->is_use) {
			at = &g->next_in_module;
			continue;
		}
		*at = g->next_in_module;
		rl_unlink_group(&g->key->groups, g);
		core->hooks->free(g);
	}
}

bool rl_index_uses(struct rl_core *core, struct rl_module *module)
{
	size_t count = 0;

	if (module->uses_indexed)
		return true;
	if (count_uses(core, module, &count))
		module->use_order = core->hooks->alloc((count + !count) * (sizeof(*module->use_order) + sizeof(*module->use_words)));
	if (!module->use_order) {
		forget_groups(core, module);
		return false;
	}
	module->use_words = module->use_order + count;
	module->use_indexed_count = count;
	core->memory += count * (sizeof(*module->use_order) + sizeof(*module->use_words));
	place_groups(module);
	fill_groups(core, module);
	finish_groups(module);
	module->uses_indexed = true;
	core->unindexed--;
	return true;
}

bool rl_index_all_uses(struct rl_core *core)
{
	for (struct rl_module *m = core->unindexed ? core->modules : 0; m; m = m->next)
		if (!rl_index_uses(core, m))
			return false;
	return true;
}

void rl_remove_uses(struct rl_core *core, struct rl_module *module)
{
	core->unindexed -= !module->uses_indexed;
	core->memory -= module->use_indexed_count * (sizeof(*module->use_order) + sizeof(*module->use_words));
	if (module->use_order)
		core->hooks->free(module->use_order);
}

/* A key that is not what it was at link time has an opinion of its uses; so has one that was baked, of those of other files. */
bool rl_uses_wanted(const struct rl_core *core)
{
	int by;

	if (!core->unindexed)
		return false;
	for (const struct rl_choice *c = core->choices; c; c = c->next)
		if (c->key_count && (!core->locks || c != core->locks->owner) &&
		    (rl_is_baked(c) || c->state != c->initial || rl_resolve(core, c, c->asked, &by) != c->initial))
			return true;
	return core->drives != 0;
}

/* ---- a commit ---- */

static int opinion(uint32_t asked, int level)
{
	return (int)(asked >> 2 * level & 3);
}

static uint32_t with_opinion(uint32_t asked, int level, int wanted)
{
	return (asked & ~(3u << 2 * level)) | (uint32_t)wanted << 2 * level;
}

/* Visits the groups of uses of a choice. */
static struct rl_group *next_group(struct rl_group *g)
{
	while (g && !g->is_use)
		g = g->next;
	return g;
}
#define EACH_GROUP(c, k, g) \
	for (size_t k = 0; k < (c)->key_count; k++) \
		for (struct rl_group *g = next_group((c)->keys[k].groups); g; g = next_group(g->next))

void rl_touch_uses(struct rl_choice *c)
{
	EACH_GROUP(c, k, g)
		for (size_t i = 0; i < g->count; i++)
			g->words[i] = (g->words[i] & (ASKED | ON)) * (1u + (1u << NEXT));
}

/* Who speaks for the key takes back what was said about its uses before. */
void rl_forget_use_opinions(struct rl_choice *c, int level)
{
	EACH_GROUP(c, k, g)
		for (size_t i = 0; i < g->count; i++)
			g->words[i] &= ~(3u << (2 * level + NEXT));
}

/* The highest level that says anything decides; the key's own opinion is the lowest of its level. */
static bool wants(uint32_t asked, int key_by, bool key_on)
{
	uint32_t above = asked >> 2 * key_by;

	return above ? above >> ((31 - __builtin_clz(above)) & ~1) & 1 : key_on;
}

static int decided_by(uint32_t asked, int key_by)
{
	uint32_t above = asked >> 2 * key_by;

	return above ? key_by + (31 - __builtin_clz(above)) / 2 : key_by;
}

void rl_resolve_uses(struct rl_choice *c)
{
	c->use_moves = 0;
	EACH_GROUP(c, k, g) {
		g->moves = 0;
		for (size_t i = 0; i < g->count; i++) {
			uint32_t w = g->words[i], on = wants(w >> NEXT & ASKED, c->next_by, c->keys[k].next) ? ON : 0;

			g->words[i] = (w & ~(ON << NEXT)) | on << NEXT;
			g->moves += (w & ON) != on;
		}
		c->use_moves += g->moves;
	}
}

/* The key stays, and so do they; what was asked is remembered. */
void rl_hold_uses(struct rl_choice *c)
{
	c->use_moves = 0;
	EACH_GROUP(c, k, g) {
		g->moves = 0;
		for (size_t i = 0; i < g->count; i++)
			g->words[i] = (g->words[i] & ~(ON << NEXT)) | (g->words[i] & ON) << NEXT;
	}
}

static void adopt(struct rl_group *g, size_t i)
{
	uint32_t old = g->words[i], w = old >> NEXT;

	if (g->stale)
		w = (w & ~ON) | (old & ON);
	if (g->data && (w ^ old) & ON)
		__atomic_store_n((uint8_t *)rl_branch_site(rl_group_record(g, i)), (w & ON) != 0, __ATOMIC_RELAXED);
	g->words[i] = w;
}

void rl_adopt_uses(struct rl_choice *c)
{
	EACH_GROUP(c, k, g)
		for (size_t i = 0; i < g->count; i++)
			adopt(g, i);
	c->use_moves = 0;
}

/* ---- queries ---- */

static bool group_matches(const struct rl_query *q, const struct rl_group *g)
{
	return g->is_use && g->key && rl_query_matches_module(q, g->module->name) && rl_query_matches_key(q, g->key->owner->name);
}

bool rl_match_use(struct rl_match *match, const struct rl_group *group, size_t i)
{
	return group_matches(match->query, group) && rl_query_matches(match, rl_group_use(group, i));
}

static bool names_no_module(const struct rl_core *core, const struct rl_query *q)
{
	for (const struct rl_module *m = core->modules; m; m = m->next)
		if (rl_query_matches_module(q, m->name))
			return false;
	return true;
}

static int no_match(const struct rl_queries *list, const struct rl_query *q, struct relink_error *err)
{
	char reason[320];
	struct rl_text t = rl_text_into(reason, sizeof(reason));
	size_t length = (size_t)(list->at - q->text.at);

	rl_text_add(&t, "query ");
	rl_text_add_dec(&t, q->number);
	rl_text_add(&t, " matches no use: '");
	rl_text_add_n(&t, q->text.at, length < 160 ? length : 160);
	rl_text_add(&t, "'; relink_each_use lists what there is");
	return rl_fail(err, RELINK_E_UNKNOWN, 0, reason);
}

/* One query to the groups of a choice; the plan takes the choice in as soon as there is something to change. */
static int ask_choice(struct rl_plan *plan, struct rl_choice *c, const struct rl_query *q, int level, size_t *matched)
{
	EACH_GROUP(c, k, g) {
		struct rl_match match = { .query = q };

		if (!group_matches(q, g))
			continue;
		for (size_t i = 0; i < g->count; i++) {
			if (!rl_query_matches(&match, rl_group_use(g, i)))
				continue;
			if (level == RELINK_BY_FORCE && q->opinion && (c->flags & RELINK_NONFORCIBLE))
				return rl_fail(plan->err, RELINK_E_NONFORCIBLE, c, "its owner declared it nonforcible; ask the program to change it");
			rl_touch(plan, c);
			g->words[i] = with_opinion(g->words[i] >> NEXT, level, q->opinion) << NEXT | MATCHED << NEXT | (g->words[i] & LOWER);
			++*matched;
		}
	}
	return 0;
}

static int ask(struct rl_plan *plan, struct rl_queries *list, const struct rl_query *q, int level)
{
	size_t matched = 0;
	int r = 0;

	for (struct rl_choice *c = plan->core->choices; c && !r; c = c->next)
		r = ask_choice(plan, c, q, level, &matched);
	if (r || matched)
		return r;
	/* "Kept until its module loads", as choices of modules that are not there yet. */
	return level == RELINK_BY_COMMAND_LINE && names_no_module(plan->core, q) ? 0 : no_match(list, q, plan->err);
}

int rl_ask_uses(struct rl_plan *plan, const char *text, size_t length, int level)
{
	struct rl_queries list = rl_queries_of(text, length);
	struct rl_query q;
	int r = rl_queries_check(text, length, plan->err);

	while (!r && rl_query_next(&list, &q, plan->err) > 0)
		r = ask(plan, &list, &q, level);
	return r;
}

/* ---- what lists say about a module that arrives; nothing of it is decided yet ---- */

static void apply_query(struct rl_module *module, const struct rl_query *q, int level)
{
	for (struct rl_group *g = module->groups; g; g = g->next_in_module) {
		struct rl_match match = { .query = q };

		if (!group_matches(q, g) || (level == RELINK_BY_FORCE && (g->key->owner->flags & RELINK_NONFORCIBLE)))
			continue;
		for (size_t i = 0; i < g->count; i++)
			if (rl_query_matches(&match, rl_group_use(g, i)))
				g->words[i] = with_opinion(g->words[i], level, q->opinion);
	}
}

/* Those that are understood, up to the first that is not. */
void rl_apply_queries(struct rl_core *core, struct rl_module *module, const char *text, size_t length, int level)
{
	struct rl_queries list = rl_queries_of(text, length);
	struct rl_query q;

	if (!module || !module->use_count || !rl_index_uses(core, module))
		return;
	while (rl_query_next(&list, &q, 0) > 0)
		apply_query(module, &q, level);
}

void rl_apply_key_to_uses(struct rl_module *module, const struct rl_choice *c, int level)
{
	for (struct rl_group *g = module ? module->groups : 0; g; g = g->next_in_module)
		for (size_t i = 0; g->is_use && g->key && g->key->owner == c && i < g->count; i++)
			g->words[i] = with_opinion(g->words[i], level, RL_USE_WANT_NOTHING);
}

/* ---- afterwards ---- */

struct rl_overridden {
	const struct rl_choice *choice;
	size_t matched, count;
	int by;
	bool on;
};

static void count_overridden(const struct rl_choice *c, int level, struct rl_overridden *o)
{
	EACH_GROUP(c, k, g)
		for (size_t i = 0; i < g->count; i++) {
			uint32_t w = g->words[i];
			int wanted = opinion(w, level);
			bool on = (w & ON) != 0;

			if (!(w & MATCHED))
				continue;
			g->words[i] = w & ~MATCHED;
			o->matched++;
			if (!wanted || on == (wanted == RL_USE_WANT_ON))
				continue;
			o->count++;
			o->choice = c;
			o->by = decided_by(w & ASKED, c->decided_by);
			o->on = on;
		}
}

int rl_report_uses(const struct rl_plan *plan, int level)
{
	struct rl_overridden o = { .count = 0 };
	char reason[200];
	struct rl_text t = rl_text_into(reason, sizeof(reason));

	for (size_t i = 0; i < plan->choice_count; i++)
		count_overridden(plan->choices[i], level, &o);
	if (!o.count)
		return RELINK_OK;
	rl_text_add(&t, "recorded, but of ");
	rl_text_add_dec(&t, o.matched);
	rl_text_add(&t, " uses ");
	rl_text_add_dec(&t, o.count);
	rl_text_add(&t, " stay as they are: the ");
	rl_text_add(&t, relink_level_name(o.by));
	rl_text_add(&t, o.on ? " says on" : " says off");
	return rl_fail(plan->err, RELINK_OVERRIDDEN, o.choice, reason);
}

struct rl_use_state rl_use_state(const struct rl_group *g, size_t i)
{
	const struct rl_choice *c = g->key->owner;

	return (struct rl_use_state){ (g->words[i] & ON) != 0, decided_by(g->words[i] & ASKED, c->decided_by) };
}

/* Would a query of a list, put to everything that is there, find anything? For notes. */
bool rl_query_finds(const struct rl_core *core, const struct rl_query *q)
{
	for (const struct rl_module *m = core->modules; m; m = m->next)
		for (const struct rl_group *g = m->groups; g; g = g->next_in_module) {
			struct rl_match match = { .query = q };

			if (!group_matches(q, g))
				continue;
			for (size_t i = 0; i < g->count; i++)
				if (rl_query_matches(&match, rl_group_use(g, i)))
					return true;
		}
	return false;
}
