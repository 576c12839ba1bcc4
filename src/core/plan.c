/* SPDX-License-Identifier: MIT */
/*
 * plan.c - from decided choices to bytes: which sites change, to what, and is there what should be there?
 *
 * Branches are not listed: their groups are walked anew by each pass, so that a million of them costs no memory. Everything
 * else becomes a change record that keeps the old bytes.
 */
#include "core/core.h"

static bool is_fresh(const struct rl_plan *plan, const struct rl_group *group)
{
	return plan->fresh && group->module == plan->arriving;
}

bool rl_alone(struct rl_plan *plan)
{
	if (plan->alone == RL_NONE)
		plan->alone = plan->quiet = plan->core->hooks->alone(false);
	return plan->quiet;
}

bool rl_alone_at_last(struct rl_plan *plan)
{
	if (!rl_alone(plan) && plan->patient) {
		plan->patient = false;
		plan->alone = plan->quiet = plan->core->hooks->alone(true);
	}
	return plan->quiet;
}

bool rl_may_trap(struct rl_plan *plan)
{
	const struct rl_core *core = plan->core;

	if (plan->trap == RL_NONE) {
		plan->no_trap = core->traps ? core->hooks->traps_refused() : "RELINK_TRAPS is not declared";
		plan->trap = !plan->no_trap;
	}
	return plan->trap;
}

/* Does this group's code have to be rewritten so that its key becomes `next`? */
static bool group_flips(const struct rl_plan *plan, const struct rl_group *group)
{
	const struct rl_key *key = group->key;

	if (group->is_use)
		return !group->stale && !group->data && group->moves;
	return !group->stale && (is_fresh(plan, group) ? rl_group_born(group) : key->state) != key->next;
}

static int walk_key(struct rl_plan *plan, struct rl_key *key, int (*visit)(struct rl_plan *, struct rl_group *, bool))
{
	int r = 0;

	for (struct rl_group *g = key->groups; g && !r; g = g->next)
		if (!is_fresh(plan, g) && group_flips(plan, g))
			r = visit(plan, g, g->is_use || key->next);
	return r;
}

int rl_walk_flips(struct rl_plan *plan, int (*visit)(struct rl_plan *plan, struct rl_group *group, bool on))
{
	int r = 0;

	for (size_t i = 0; i < plan->choice_count && !r; i++)
		for (size_t k = 0; k < plan->choices[i]->key_count && !r; k++)
			r = walk_key(plan, &plan->choices[i]->keys[k], visit);
	for (struct rl_group *g = plan->fresh ? plan->arriving->groups : 0; g && !r; g = g->next_in_module)
		if (g->key && group_flips(plan, g))
			r = visit(plan, g, g->is_use || g->key->next);
	return r;
}

int rl_fail_wrong_bytes(struct rl_plan *plan, const struct rl_choice *choice, const struct rl_module *module, uintptr_t site)
{
	uint8_t now = *(const volatile uint8_t *)site;

	if (plan->core->port->guard && now == plan->core->port->guard)
		return rl_fail_site(plan->err, RELINK_E_BREAKPOINT, choice, module, site,
				    "a breakpoint stands on this site; remove it and try again");
	return rl_fail_site(plan->err, RELINK_E_BYTES, choice, module, site,
			    "other bytes than expected; something else has rewritten this code");
}

static int check_flip(struct rl_plan *plan, struct rl_group *group, bool on)
{
	bool now = is_fresh(plan, group) ? rl_group_born(group) : group->key->state;
	uint8_t expected[2];

	/* Sites of one key may be of both directions; the byte depends on the record's own flag. */
	expected[0] = plan->core->port->flip[now];
	expected[1] = plan->core->port->flip[!now];
	plan->flips = plan->writes = true;
	plan->others |= group->module != plan->arriving;
	for (size_t i = 0; i < group->count; i++) {
		const struct relink_branch_record *record = rl_group_record(group, i);
		uintptr_t site = rl_branch_site(record);
		bool other = group->is_use && rl_branch_becomes(group, i, false) != now;

		if (rl_branch_moves(group, i) &&
		    *(const volatile uint8_t *)site != expected[(rl_branch_flags(record) & RELINK_BRANCH_ON_FALSE) ^ other])
			return rl_fail_wrong_bytes(plan, group->key->owner, group->module, site);
	}
	(void)on;
	return 0;
}

static bool grow_changes(struct rl_plan *plan, size_t capacity)
{
	struct rl_change_record *grown;

	if (capacity <= plan->change_capacity)
		return true;
	grown = plan->core->hooks->alloc(capacity * sizeof(*grown));
	if (!grown)
		return false;
	for (size_t i = 0; i < plan->change_count; i++)
		grown[i] = plan->changes[i];
	if (plan->changes)
		plan->core->hooks->free(plan->changes);
	plan->changes = grown;
	plan->change_capacity = capacity;
	return true;
}

static struct rl_change_record *new_change(struct rl_plan *plan)
{
	return &plan->changes[plan->change_count++];
}

/* Room for a group's changes: large groups get what they need at once. */
bool rl_reserve_changes(struct rl_plan *plan, size_t more)
{
	size_t need = plan->change_count + more;

	return need <= plan->change_capacity || grow_changes(plan, need > 2 * plan->change_capacity ? need : 2 * plan->change_capacity);
}

static int no_memory(struct rl_plan *plan)
{
	return rl_fail(plan->err, RELINK_E_MEMORY, 0, "out of memory while planning; nothing has changed");
}

/* May this site ever leave its trampoline? */
static enum relink_reason may_bind(const struct rl_plan *plan, const struct rl_choice *call, const struct rl_site *site, uintptr_t address)
{
	const struct rl_core *core = plan->core;
	int kind = site->kind;

	if (kind == RL_POINTER_USE)
		return (enum relink_reason)site->reason;
	if (rl_is_pointer(call) && !call->module->pointers_sealed)
		return RELINK_UNCOMMITTED;

	if (!core->can_write)
		return RELINK_INDIRECT;
	if (kind == RL_TRAMPOLINE)
		return call->trampoline_ok ? RELINK_BOUND : RELINK_INDIRECT;
	if ((call->flags & RELINK_FINAL) || core->traps)
		return RELINK_BOUND;
	if (!core->port->one_store((enum rl_kind)kind, address))
		return RELINK_UNALIGNED;
	return core->one_store ? RELINK_BOUND : RELINK_UNDECLARED;
}

static enum relink_reason reason_of(enum rl_fit fit)
{
	return fit == RL_FITS ? RELINK_BOUND : fit == RL_TOO_FAR ? RELINK_OUT_OF_RANGE : RELINK_BY_STUB;
}

/* Wishes that are an instruction where it fits, and a function that does the same elsewhere. */
static bool has_function(const struct rl_want *want)
{
	return want->what == RL_CONSTANT || want->what == RL_IDENTITY;
}

static enum rl_fit encode(const struct rl_plan *plan, const struct rl_choice *call, struct rl_want want, uintptr_t home,
			  struct rl_change_record *change)
{
	const struct rl_port *port = plan->core->port;
	enum rl_kind kind = (enum rl_kind)change->kind;
	enum rl_fit fit = port->encode(kind, change->address, home, &want, change->old, change->new);

	change->change = (uint8_t)port->classify(kind, change->address, change->old, change->new);
	/* An instruction that one store can't put here, or take away again, is left to the function that does the same. */
	if (has_function(&want) && !(call->flags & RELINK_FINAL) && !plan->core->traps &&
	    (change->change == RL_SPLIT || (change->address & 7) > 3)) {
		want.what = RL_FUNCTION;
		fit = port->encode(kind, change->address, home, &want, change->old, change->new);
		change->change = (uint8_t)port->classify(kind, change->address, change->old, change->new);
	}
	return fit;
}

/* Bytes that a site may hold now: what its call is bound to, or the way home. */
static bool old_bytes_good(const struct rl_plan *plan, const struct rl_group *group, const struct rl_site *site,
			   const struct rl_change_record *change)
{
	const struct rl_choice *call = group->call;
	struct rl_want want = rl_want_of(call, call->state, call->bound_custom), home = { RL_HOME, false, 0, 0 };
	const struct rl_port *port = plan->core->port;
	enum rl_kind kind = (enum rl_kind)change->kind;

	if (site->reason != RELINK_BOUND)
		return port->expresses(kind, change->address, group->home, &home, change->old);
	if (port->expresses(kind, change->address, group->home, &want, change->old))
		return true;
	if (!has_function(&want))
		return false;
	want.what = RL_FUNCTION;
	return port->expresses(kind, change->address, group->home, &want, change->old);
}

/* A site that is bound has to follow. One that leads home may stay there: it gets to the right target. */
static int unchangeable(struct rl_plan *plan, const struct rl_group *group, struct rl_site *site, uintptr_t address)
{
	char reason[240];
	struct rl_text t;

	if (site->reason != RELINK_BOUND) {
		site->reason = RELINK_UNALIGNED;
		plan->change_count--;
		return 0;
	}
	if (group->call->flags & RELINK_FINAL)
		return rl_fail_site(plan->err, RELINK_E_FINAL, group->call, group->module, address,
				    "the choice is final and threads run; decide it at start-up");
	t = rl_text_into(reason, sizeof(reason));
	rl_text_add(&t, "this site can only be changed with a trap, and traps are not possible now: ");
	rl_text_add(&t, plan->no_trap);
	return rl_fail_site(plan->err, RELINK_E_TRAPS, group->call, group->module, address, reason);
}

static int plan_site(struct rl_plan *plan, struct rl_group *group, struct rl_site *site)
{
	struct rl_choice *call = group->call;
	struct rl_want want = rl_want_of(call, call->next_state, call->next_custom);
	uintptr_t address = group->module->text_start + site->offset;
	enum relink_reason reason = may_bind(plan, call, site, address);
	struct rl_change_record *change;

	if (reason != RELINK_BOUND) {
		site->reason = (uint8_t)reason;
		return 0;
	}
	change = new_change(plan);
	change->address = address;
	change->kind = site->kind;
	change->length = plan->core->port->length[site->kind];
	change->site = site;
	__builtin_memcpy(change->old, (const void *)address, change->length);
	if (!old_bytes_good(plan, group, site, change))
		return rl_fail_wrong_bytes(plan, call, group->module, address);
	change->reason = (uint8_t)reason_of(encode(plan, call, want, group->home, change));
	if ((plan->core->strict && change->change != RL_SAME) || (!plan->core->one_store && change->change == RL_STORE))
		change->change = RL_SPLIT;
	if (change->change == RL_SPLIT && group->module != plan->arriving && !plan->quiet && !rl_may_trap(plan) && !rl_alone(plan))
		return unchangeable(plan, group, site, address);
	if (change->change != RL_SAME) {
		plan->writes = true;
		plan->others |= group->module != plan->arriving;
	}
	return 0;
}

static int plan_group(struct rl_plan *plan, struct rl_group *group)
{
	int r = 0;

	if (rl_is_baked_group(group))
		return 0;
	if (!rl_reserve_changes(plan, group->count))
		return no_memory(plan);
	for (size_t i = 0; i < group->count && !r; i++)
		r = plan_site(plan, group, &group->sites[i]);
	return r;
}

bool rl_call_moves(const struct rl_choice *c)
{
	return (c->kind == RELINK_CALL || c->kind == RELINK_OPS || rl_is_pointer(c)) &&
	       (c->next_state != c->state || (c->state == RL_CUSTOM && c->next_custom != c->bound_custom));
}

static int plan_call(struct rl_plan *plan, struct rl_choice *call)
{
	int r = 0;

	for (struct rl_group *g = call->groups; g && !r; g = g->next)
		if (!is_fresh(plan, g) && (rl_call_moves(call) || plan->rebind || plan->bind))
			r = plan_group(plan, g);
	return r;
}

/* int3 for every branch, for those who asked for nothing else. */
static int list_flip(struct rl_plan *plan, struct rl_group *group, bool on)
{
	if (!rl_reserve_changes(plan, group->count))
		return no_memory(plan);
	for (size_t i = 0; i < group->count; i++) {
		const struct relink_branch_record *record = rl_group_record(group, i);
		bool jumps = rl_branch_becomes(group, i, on) != ((rl_branch_flags(record) & RELINK_BRANCH_ON_FALSE) != 0);
		struct rl_change_record *change;

		if (!rl_branch_moves(group, i))
			continue;
		change = new_change(plan);

		change->address = rl_branch_site(record);
		change->kind = RL_BRANCH;
		change->length = plan->core->port->length[RL_BRANCH];
		__builtin_memcpy(change->old, (const void *)change->address, change->length);
		__builtin_memcpy(change->new, change->old, change->length);
		change->new[0] = plan->core->port->flip[jumps];
		change->change = RL_SPLIT;
	}
	return 0;
}

static bool before(const struct rl_change_record *a, const struct rl_change_record *b)
{
	return a->address < b->address;
}

static void sift_down(struct rl_change_record *r, size_t root, size_t count)
{
	struct rl_change_record moving = r[root];
	size_t child;

	while ((child = 2 * root + 1) < count) {
		if (child + 1 < count && before(&r[child], &r[child + 1]))
			child++;
		if (!before(&moving, &r[child]))
			break;
		r[root] = r[child];
		root = child;
	}
	r[root] = moving;
}

/* Ascending addresses: neighbours share a write, and the trap handler searches by halves. */
static void sort_changes(struct rl_change_record *r, size_t count)
{
	bool sorted = true;

	for (size_t i = 1; i < count && sorted; i++)
		sorted = !before(&r[i], &r[i - 1]);
	if (sorted)
		return;
	for (size_t i = count / 2; i-- > 0;)
		sift_down(r, i, count);
	for (size_t n = count; n-- > 1;) {
		struct rl_change_record top = r[0];

		r[0] = r[n];
		r[n] = top;
		sift_down(r, 0, n);
	}
}

static int plan_calls(struct rl_plan *plan)
{
	int r = 0;

	for (size_t i = 0; i < plan->choice_count && !r; i++)
		if (plan->choices[i]->kind == RELINK_CALL || rl_is_pointer(plan->choices[i]))
			r = plan_call(plan, plan->choices[i]);
	for (struct rl_group *g = plan->fresh ? plan->arriving->groups : 0; g && !r; g = g->next_in_module)
		if (g->call)
			r = plan_group(plan, g);
	return r;
}

int rl_plan_build(struct rl_plan *plan)
{
	size_t n;
	int r;

	r = rl_walk_flips(plan, check_flip);
	if (!r && plan->flips && !plan->core->can_write)
		return rl_fail(plan->err, RELINK_E_WRITE, 0, plan->core->why);
	if (!r)
		r = plan_calls(plan);
	plan->patient &= !plan->core->strict; /* flips are listed or not: that stays */
	if (!r && plan->flips && plan->core->strict && !rl_alone(plan))
		r = rl_walk_flips(plan, list_flip);
	n = plan->change_count;
	if (!r)
		r = rl_plan_patches(plan);
	/* Groups are sorted in themselves, which is enough for writing; the trap handler needs one order over all. */
	if (!r && (plan->core->traps || plan->change_count > n))
		sort_changes(plan->changes, plan->change_count);
	return r;
}

void rl_plan_free(struct rl_plan *plan)
{
	if (plan->changes)
		plan->core->hooks->free(plan->changes);
	if (plan->ranges)
		plan->core->hooks->free((void *)(uintptr_t)plan->ranges);
	plan->ranges = 0;
	plan->changes = 0;
	plan->change_count = plan->change_capacity = 0;
}
