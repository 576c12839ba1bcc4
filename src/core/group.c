/* SPDX-License-Identifier: MIT */
/* group.c - the sites of a module, grouped by key or call and sorted by address. */
#include "core/core.h"

struct rl_group *rl_new_group(struct rl_core *core, struct rl_module *module)
{
	struct rl_group *g = core->hooks->alloc(sizeof(*g));

	if (!g)
		return 0;
	g->module = module;
	g->next_in_module = module->groups;
	module->groups = g;
	return g;
}

static bool usable_branch(const struct rl_module *module, const struct relink_branch_record *record)
{
	uintptr_t site = rl_branch_site(record);

	return site >= module->text_start && site < module->text_stop && rl_branch_key(record);
}

static bool count_branch(struct rl_core *core, struct rl_module *module, const struct relink_branch_record *record)
{
	struct relink_key *key = rl_branch_key(record);
	bool on = (rl_branch_flags(record) & RELINK_BRANCH_TRUE_KEY) != 0;
	struct rl_key *k = key->choice;

	if (!k)
		k = rl_anonymous_key(core, module, key, on);
	if (!k)
		return false;
	if (!k->groups || k->groups->module != module) {
		struct rl_group *g = rl_new_group(core, module);

		if (!g)
			return false;
		g->key = k;
		g->next = k->groups;
		k->groups = g;
	}
	k->groups->count++;
	/* Code that was compiled for the other default can't be told from code that somebody rewrote, unless the key was baked since. */
	k->groups->unlike_count += on != k->born;
	if (on != k->born && !rl_is_baked(k->owner))
		k->groups->stale = true;
	return true;
}

static void judge_groups(struct rl_module *module)
{
	for (struct rl_group *g = module->groups; g; g = g->next_in_module) {
		if (!g->unlike_count || g->stale)
			continue;
		g->unlike = g->unlike_count == g->count;
		g->stale = !g->unlike;
	}
}

static void place_groups(struct rl_module *module)
{
	uint32_t *order = module->order;

	for (struct rl_group *g = module->groups; g; g = g->next_in_module) {
		g->order = order;
		order += g->count;
		g->count = 0;
	}
}

static uintptr_t address_of(const struct rl_group *g, uint32_t record)
{
	return rl_branch_site(g->is_use ? &g->module->uses[record].branch : &g->module->branches[record]);
}

static void sift_down(const struct rl_group *g, size_t root, size_t count)
{
	uint32_t moving = g->order[root];
	size_t child;

	while ((child = 2 * root + 1) < count) {
		if (child + 1 < count && address_of(g, g->order[child]) < address_of(g, g->order[child + 1]))
			child++;
		if (address_of(g, moving) >= address_of(g, g->order[child]))
			break;
		g->order[root] = g->order[child];
		root = child;
	}
	g->order[root] = moving;
}

/* Records come in the order of the code as a rule; writing wants ascending addresses always. */
void rl_sort_group(const struct rl_group *g)
{
	bool sorted = true;

	for (size_t i = 1; i < g->count && sorted; i++)
		sorted = rl_group_address(g, i - 1) <= rl_group_address(g, i);
	if (sorted)
		return;
	for (size_t i = g->count / 2; i-- > 0;)
		sift_down(g, i, g->count);
	for (size_t n = g->count; n-- > 1;) {
		uint32_t top = g->order[0];

		g->order[0] = g->order[n];
		g->order[n] = top;
		sift_down(g, 0, n);
	}
}

bool rl_add_branches(struct rl_core *core, struct rl_module *module)
{
	size_t usable = 0;

	for (size_t i = 0; i < module->branch_count; i++)
		if (usable_branch(module, &module->branches[i])) {
			if (!count_branch(core, module, &module->branches[i]))
				return false;
			usable++;
		}
	if (!usable)
		return true;
	judge_groups(module);
	module->order = core->hooks->alloc(usable * sizeof(*module->order));
	if (!module->order)
		return false;
	core->memory += usable * sizeof(*module->order);
	place_groups(module);
	for (size_t i = 0; i < module->branch_count; i++)
		if (usable_branch(module, &module->branches[i])) {
			struct rl_key *k = rl_branch_key(&module->branches[i])->choice;

			k->groups->order[k->groups->count++] = (uint32_t)i;
		}
	for (struct rl_group *g = module->groups; g; g = g->next_in_module)
		rl_sort_group(g);
	return true;
}

static struct rl_group *add_call_group(struct rl_core *core, struct rl_module *module, struct rl_choice *call, uintptr_t home,
				       size_t count)
{
	struct rl_group *g = rl_new_group(core, module);

	if (!g)
		return 0;
	g->sites = core->hooks->alloc(count * sizeof(*g->sites));
	if (!g->sites)
		return 0;
	core->memory += count * sizeof(*g->sites);
	g->call = call;
	g->home = home;
	g->count = count;
	g->next = call->groups;
	call->groups = g;
	return g;
}

/* A baked call's sites are not looked at again. */
static enum relink_reason first_reason(const struct rl_core *core, const struct rl_group *g, int kind, uintptr_t address)
{
	const struct rl_want home = { RL_HOME, false, 0, 0 };

	if (!rl_is_baked_group(g) || core->port->expresses((enum rl_kind)kind, address, g->home, &home, (const uint8_t *)address))
		return RELINK_INDIRECT;
	return RELINK_BOUND;
}

static bool add_trampoline(struct rl_core *core, struct rl_module *module, struct rl_choice *call)
{
	uintptr_t entry = (uintptr_t)call->call->trampoline;
	struct rl_group *g;
	uint64_t slot;
	size_t opcode;

	if (!entry || entry < module->text_start || entry >= module->text_stop)
		return true;
	if (!core->port->trampoline((const uint8_t *)entry, module->text_stop - entry > 32 ? 32 : module->text_stop - entry, entry,
				    &opcode, &slot) || slot != (uintptr_t)call->call->slot)
		return true;
	g = add_call_group(core, module, call, entry, 1);
	if (!g)
		return false;
	g->trampoline = call->trampoline_ok = true;
	g->sites[0] = (struct rl_site){ (uint32_t)(entry + opcode - module->text_start), RL_TRAMPOLINE,
					(uint8_t)first_reason(core, g, RL_TRAMPOLINE, entry + opcode), 0 };
	return true;
}

bool rl_add_trampolines(struct rl_core *core, struct rl_module *module)
{
	bool ok = true;

	for (struct rl_choice *c = core->choices; c && ok; c = c->next)
		if (c->module == module && c->kind == RELINK_CALL)
			ok = add_trampoline(core, module, c);
	return ok;
}

static bool sort_raw(struct rl_core *core, struct rl_raw_site *s, size_t count);

static bool same_group(const struct rl_raw_site *a, const struct rl_raw_site *b)
{
	return a->call == b->call && a->home == b->home;
}

/* Code that an alternative replaces as a whole is its own; calls in there reach their trampolines. */
static size_t without_patches(const struct rl_module *module, struct rl_raw_site *sites, size_t count)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++)
		if (!rl_in_patch(module, sites[i].address))
			sites[kept++] = sites[i];
	return kept;
}

int rl_module_add_calls(struct rl_core *core, struct rl_module *module, struct rl_raw_site *sites, size_t count)
{
	if (!count)
		return RELINK_OK;
	count = without_patches(module, sites, count);
	if (!sort_raw(core, sites, count))
		return RELINK_E_MEMORY;
	for (size_t i = 0, n; i < count; i += n) {
		struct rl_group *g;

		for (n = 1; i + n < count && same_group(&sites[i], &sites[i + n]); n++)
			;
		g = add_call_group(core, module, sites[i].call, sites[i].home, n);
		if (!g)
			return RELINK_E_MEMORY;
		for (size_t k = 0; k < n; k++)
			g->sites[k] = (struct rl_site){ (uint32_t)(sites[i + k].address - module->text_start), sites[i + k].kind,
							sites[i + k].reason ? sites[i + k].reason :
							(uint8_t)first_reason(core, g, sites[i + k].kind, sites[i + k].address), 0 };
	}
	return RELINK_OK;
}

static bool raw_before(const struct rl_raw_site *a, const struct rl_raw_site *b)
{
	if (a->call != b->call)
		return a->call < b->call;
	if (a->home != b->home)
		return a->home < b->home;
	return a->address < b->address;
}

static size_t run_length(const struct rl_raw_site *s, size_t count)
{
	size_t n = 1;

	while (n < count && !raw_before(&s[n], &s[n - 1]))
		n++;
	return n;
}

static void merge(struct rl_raw_site *out, const struct rl_raw_site *a, size_t na, const struct rl_raw_site *b, size_t nb)
{
	while (na && nb)
		*out++ = raw_before(b, a) ? (nb--, *b++) : (na--, *a++);
	while (na--)
		*out++ = *a++;
	while (nb--)
		*out++ = *b++;
}

/* One pass: pairs of runs become runs of `to`. How many runs are left? */
static size_t merge_runs(const struct rl_raw_site *from, struct rl_raw_site *to, size_t count)
{
	size_t runs = 0;

	for (size_t at = 0, a, b; at < count; at += a + b, runs++) {
		a = run_length(from + at, count - at);
		b = at + a < count ? run_length(from + at + a, count - at - a) : 0;
		merge(to + at, from + at, a, from + at + a, b);
	}
	return runs;
}

/* Linkers keep relocations in the order of their input: long runs, which merging takes in few passes. */
static bool sort_raw(struct rl_core *core, struct rl_raw_site *s, size_t count)
{
	struct rl_raw_site *spare, *from = s, *to, *t;

	if (run_length(s, count) == count)
		return true;
	spare = to = core->hooks->alloc(count * sizeof(*spare));
	if (!spare)
		return false;
	while (merge_runs(from, to, count) > 1) {
		t = from;
		from = to;
		to = t;
	}
	for (size_t i = 0; to != s && i < count; i++)
		s[i] = to[i];
	core->hooks->free(spare);
	return true;
}

void rl_unlink_group(struct rl_group **list, struct rl_group *group)
{
	while (*list && *list != group)
		list = &(*list)->next;
	if (*list)
		*list = group->next;
}

void rl_remove_groups(struct rl_core *core, struct rl_module *module)
{
	struct rl_group *g, *next;

	for (g = module->groups; g; g = next) {
		next = g->next_in_module;
		if (g->key || g->call) /* else its choice left first */
			rl_unlink_group(g->key ? &g->key->groups : &g->call->groups, g);
		if (g->sites) {
			core->memory -= g->count * sizeof(*g->sites);
			core->hooks->free(g->sites);
		} else if (!g->is_use) {
			core->memory -= g->count * sizeof(*g->order);
		}
		core->hooks->free(g);
	}
	if (module->order)
		core->hooks->free(module->order);
}
