/* SPDX-License-Identifier: MIT */
/* commit.c - one transaction: decide, plan, write, remember; or nothing. */
#include "core/core.h"

/* ---- the choices that a commit may change ---- */

void rl_touch(struct rl_plan *plan, struct rl_choice *choice)
{
	if (choice->touched)
		return;
	choice->touched = true;
	for (int level = 0; level < RELINK_LEVELS; level++)
		choice->next_asked[level] = choice->asked[level];
	choice->next_custom = choice->custom;
	choice->next_state = choice->state;
	choice->next_by = choice->decided_by;
	rl_touch_uses(choice);
	plan->choices[plan->choice_count++] = choice;
}

static bool is_touched(const struct relink_when *when)
{
	for (; when && when->kind; when++) {
		const struct rl_choice *c = rl_when_choice(when);

		if (c && c->touched)
			return true;
	}
	return false;
}

static bool depends_on_touched(const struct rl_choice *call)
{
	for (size_t i = 0; call->has_when && i < call->count; i++)
		if (call->variants[i].module && is_touched(call->variants[i].when))
			return true;
	return false;
}

/* What an option drives follows it; and a call may have variants for states of other choices. */
static void touch_driven(struct rl_plan *plan)
{
	for (struct rl_drive *d = plan->core->drives; d; d = d->next)
		if (d->option->touched)
			rl_touch(plan, d->choice);
	for (struct rl_choice *c = plan->core->when_count ? plan->core->choices : 0; c; c = c->next)
		if (depends_on_touched(c))
			rl_touch(plan, c);
}

/* A table's members follow it. */
static void touch_members(struct rl_plan *plan)
{
	for (size_t i = 0; i < plan->choice_count; i++)
		for (size_t m = 0; m < plan->choices[i]->member_count; m++)
			rl_touch(plan, plan->choices[i]->members[m]);
}

static size_t bound_on_choices(const struct rl_core *core, size_t decisions)
{
	size_t n = decisions + core->member_count;

	for (struct rl_drive *d = core->drives; d; d = d->next)
		n++;
	return n + core->when_count;
}

static void release(struct rl_plan *plan, struct rl_choice **set, struct rl_choice **fixed)
{
	for (size_t i = 0; i < plan->choice_count; i++)
		plan->choices[i]->touched = false;
	rl_plan_free(plan);
	if (set != fixed)
		plan->core->hooks->free(set);
}

/* ---- decide ---- */

/* In the order of who depends on whom: options, keys and numbers, calls. */
#define RANKS 3
static int rank_of(const struct rl_choice *c)
{
	return c->kind == RELINK_OPT ? 0 : c->kind == RELINK_CALL || rl_is_pointer(c) ? 2 : 1;
}

static void resolve(struct rl_plan *plan, int rank)
{
	for (size_t i = 0; i < plan->choice_count; i++) {
		struct rl_choice *c = plan->choices[i];

		if (rank_of(c) != rank || c->owner)
			continue;
		c->next_state = rl_resolve(plan->core, c, c->next_asked, &c->next_by);
		for (size_t k = 0; k < c->key_count; k++)
			c->keys[k].next = c->next_state == c->keys[k].value;
		rl_resolve_uses(c);
	}
}

static bool final_may_move(struct rl_plan *plan, const struct rl_choice *c)
{
	if (plan->finals || (plan->arriving && c->module == plan->arriving))
		return true;
	return !plan->core->closed && rl_alone_at_last(plan);
}

static void hold(struct rl_choice *c)
{
	c->next_state = c->state;
	c->next_by = c->decided_by;
	c->next_custom = c->bound_custom;
	for (size_t k = 0; k < c->key_count; k++)
		c->keys[k].next = c->keys[k].state;
	rl_hold_uses(c);
}

static bool moves(const struct rl_choice *c)
{
	return c->next_state != c->state || rl_call_moves(c);
}

/* A decided choice stays. Asked for in so many words it is an error; for a better variant that came late it is not. */
static int hold_finals(struct rl_plan *plan, int rank, bool asked)
{
	for (size_t i = 0; i < plan->choice_count; i++) {
		struct rl_choice *c = plan->choices[i];

		if (rank_of(c) != rank || !(c->flags & RELINK_FINAL) || (!moves(c) && !c->use_moves) || final_may_move(plan, c))
			continue;
		if (asked)
			return rl_fail(plan->err, RELINK_E_FINAL, c,
				       "the choice is final and has been decided; set it on the command line or in RELINK=");
		hold(c);
	}
	return 0;
}

static const struct rl_group *stale_group(const struct rl_choice *c)
{
	for (size_t k = 0; k < c->key_count; k++)
		for (const struct rl_group *g = c->keys[k].groups; g; g = g->next)
			if (g->stale && (g->is_use ? g->moves != 0 : c->keys[k].next != c->keys[k].state))
				return g;
	return 0;
}

static int hold_pending(struct rl_plan *plan, int rank, bool asked)
{
	for (size_t i = 0; i < plan->choice_count; i++) {
		const struct rl_group *g = rank_of(plan->choices[i]) == rank ? stale_group(plan->choices[i]) : 0;

		if (g && asked && !plan->core->can_write)
			return rl_fail(plan->err, RELINK_E_WRITE, 0, plan->core->why);
		if (g && asked)
			return rl_fail_site(plan->err, RELINK_E_PENDING, plan->choices[i], g->module, 0,
					    "a module's sites could not be brought to the current state when it was loaded");
		if (g)
			hold(plan->choices[i]);
	}
	return 0;
}

/* Code that can't follow keeps its choices where they are. */
static void hold_stale_patches(struct rl_plan *plan, int rank)
{
	for (size_t i = 0; i < plan->choice_count && plan->core->pending_count; i++) {
		struct rl_choice *c = plan->choices[i];

		if (rank_of(c) == rank && moves(c) && rl_has_patches(c) && rl_has_stale_patches(plan->core, c))
			hold(c);
	}
}

static bool has_lost_target(const struct rl_choice *c)
{
	if (c->owner)
		return has_lost_target(c->owner);
	if (c->kind != RELINK_CALL && c->kind != RELINK_OPS && !rl_is_pointer(c))
		return false;
	return c->state == RL_CUSTOM ? c->asked[RELINK_BY_PROGRAM] != RL_CUSTOM : !c->variants[c->state].module;
}

/* A module's patches are as linked, because they could not be brought to the current state when it came. */
static int refuse_stale_patches(struct rl_plan *plan)
{
	const struct rl_module *m = rl_stale_patches(plan->core);

	if (!m)
		return 0;
	if (!plan->core->can_write)
		return rl_fail(plan->err, RELINK_E_WRITE, 0, plan->core->why);
	return rl_fail_site(plan->err, RELINK_E_PENDING, 0, m, 0,
			    "a module's sites could not be brought to the current state when it was loaded");
}

/*
 * Without their prefixes atomic operations are for one thread. Opinions that want that are heard only while a second
 * thread would be noticed, see rl_locks_begin; here it is proved that there is none already.
 */
static int hold_locks(struct rl_plan *plan, bool asked)
{
	const struct rl_core *core = plan->core;
	struct rl_choice *c = core->locks ? core->locks->owner : 0;

	if (!c || !c->touched || c->next_state || !moves(c) || rl_alone_at_last(plan))
		return 0;
	if (asked)
		return rl_fail(plan->err, RELINK_E_THREADS, c, "another thread, or another process, runs in this memory");
	hold(c);
	return 0;
}

static void hold_others(struct rl_plan *plan, int rank)
{
	for (size_t i = 0; i < plan->choice_count && plan->keep; i++)
		if (rank_of(plan->choices[i]) == rank && plan->choices[i]->module != plan->arriving && !has_lost_target(plan->choices[i]))
			hold(plan->choices[i]);
}

/* ---- remember ---- */

static void adopt_sites(const struct rl_plan *plan)
{
	for (size_t i = 0; i < plan->change_count; i++)
		if (plan->changes[i].site)
			plan->changes[i].site->reason = plan->changes[i].reason;
}

static void adopt_keys(struct rl_choice *c)
{
	for (size_t k = 0; k < c->key_count; k++) {
		/* A key in memory that is gone is never touched again unless somebody names it. */
		if (c->keys[k].state == c->keys[k].next)
			continue;
		c->keys[k].state = c->keys[k].next;
		__atomic_store_n(&c->keys[k].key->state, c->keys[k].next, __ATOMIC_RELAXED);
	}
}

/* It was rolled back, but threads may have gone where it led. There is room: what would have been left is not. */
static void remember_entered(struct rl_plan *plan)
{
	for (size_t i = 0; i < plan->choice_count; i++) {
		const struct rl_choice *c = plan->choices[i];

		if (c->kind != RELINK_OPS && rl_call_moves(c))
			rl_old_add(plan->core, (uintptr_t)rl_want_of(c, c->next_state, c->next_custom).address);
	}
}

/* Would a listing show it? */
static bool shows(const struct rl_choice *c)
{
	if (c->state != c->next_state || c->decided_by != c->next_by || rl_call_moves(c))
		return true;
	for (int level = 0; level < RELINK_LEVELS; level++)
		if (c->asked[level] != c->next_asked[level])
			return true;
	return false;
}

static void note_changes(struct rl_plan *plan)
{
	for (size_t i = 0; i < plan->choice_count; i++)
		if (shows(plan->choices[i]))
			plan->choices[i]->changed = rl_count_change(plan->core);
}

static void adopt(struct rl_plan *plan)
{
	note_changes(plan);
	adopt_sites(plan);
	for (size_t i = 0; i < plan->choice_count; i++) {
		struct rl_choice *c = plan->choices[i];

		if ((c->flags & RELINK_FINAL) && c->kind != RELINK_OPS && rl_call_moves(c))
			c->new_target = plan->core->final_moved = true;
		if (c->kind != RELINK_OPS && rl_call_moves(c))
			rl_old_add(plan->core, (uintptr_t)rl_want_of(c, c->state, c->bound_custom).address);
		for (int level = 0; level < RELINK_LEVELS; level++)
			c->asked[level] = c->next_asked[level];
		c->custom = c->next_custom;
		c->decided_by = c->next_by;
		c->state = c->next_state;
		c->is_read = true;
		adopt_keys(c);
		rl_adopt_uses(c);
		c->bound_custom = c->next_custom;
		if (c->option)
			__atomic_store_n(&c->option->state, c->state, __ATOMIC_RELAXED);
		if (c->immediate) {
			__atomic_store_n(&c->immediate->value, c->variants[c->state].constant, __ATOMIC_RELAXED);
			rl_forget_numbers(plan->core, c);
		}
	}
}

static bool holds(const struct rl_module *module, uintptr_t address)
{
	return module && address >= module->text_start && address < module->text_stop;
}

uintptr_t rl_final_target(struct rl_core *core)
{
	for (struct rl_choice *c = core->final_moved ? core->choices : 0; c; c = c->next) {
		uintptr_t target;

		if (!c->new_target)
			continue;
		c->new_target = false;
		target = (uintptr_t)rl_want_of(c, c->state, c->bound_custom).address;
		if (!holds(c->module, target))
			return target;
	}
	core->final_moved = false;
	return 0;
}

/* ---- plan and run ---- */

static bool nothing_to_do(const struct rl_plan *plan)
{
	if (plan->fresh || plan->rebind || plan->bind)
		return false;
	for (size_t i = 0; i < plan->choice_count; i++)
		if (moves(plan->choices[i]) || plan->choices[i]->use_moves)
			return false;
	return true;
}

static int plan_and_run(struct rl_plan *plan)
{
	struct rl_core *core = plan->core;
	int r = rl_plan_build(plan);

	/* Bytes that are not what they should be are our own doing then. */
	if (core->degraded && (r || plan->writes))
		return rl_fail(plan->err, RELINK_E_DEGRADED, 0, core->degraded_text);
	if (r)
		return r;
	if (core->hooks->step)
		core->hooks->step(RL_STEP_VERIFIED);
	if (plan->others && !core->can_sync && !rl_alone_at_last(plan))
		return rl_fail(plan->err, RELINK_E_BARRIER, 0, core->why);
	return rl_plan_run(plan);
}

/* What can't move is held before those decide that depend on it. */
static int decide(struct rl_plan *plan, bool asked)
{
	int r = 0;

	touch_driven(plan);
	touch_members(plan);
	for (int rank = 0; rank < RANKS && !r; rank++) {
		resolve(plan, rank);
		if (rank == RANKS - 1)
			rl_follow_tables(plan);
		r = hold_finals(plan, rank, asked);
		r = r ? r : hold_pending(plan, rank, asked);
		if (rank == 1 && !r) /* keys */
			r = hold_locks(plan, asked);
		if (!asked)
			hold_stale_patches(plan, rank);
		hold_others(plan, rank);
	}
	return r;
}

static int decide_and_run(struct rl_plan *plan, bool asked)
{
	int r = decide(plan, asked);

	if (!r && asked)
		r = refuse_stale_patches(plan);
	if (!r && !rl_old_reserve(plan))
		r = rl_fail(plan->err, RELINK_E_MEMORY, 0, "out of memory; nothing has changed");
	if (!r && !nothing_to_do(plan))
		r = plan_and_run(plan);
	if (r && plan->begun)
		remember_entered(plan);
	if (!r)
		adopt(plan);
	return r;
}

int rl_plan_mode(struct rl_plan *plan, int mode)
{
	struct rl_core *core = plan->core;

	plan->alone = plan->trap = RL_NONE;
	plan->patient = true;
	if (mode == RELINK_STARTUP && !rl_alone_at_last(plan))
		return rl_fail(plan->err, RELINK_E_THREADS, 0,
			       "start-up mode needs a process with one thread, and none that shares its memory; use RELINK_LIVE");
	/* Who will be alone plans as who is. */
	plan->finals = mode == RELINK_STOP;
	plan->stop = mode == RELINK_STOP && core->hooks->park && !rl_alone_at_last(plan);
	if (plan->stop)
		plan->alone = plan->quiet = true;
	if (core->strict && !rl_may_trap(plan) && !rl_alone_at_last(plan))
		return rl_fail(plan->err, RELINK_E_TRAPS, 0, plan->no_trap);
	return 0;
}

static int overridden(const struct rl_decision *d, struct relink_error *err)
{
	const struct rl_choice *c = d->choice;
	char reason[160];
	struct rl_text t = rl_text_into(reason, sizeof(reason));

	rl_text_add(&t, "recorded, but the ");
	rl_text_add(&t, relink_level_name(c->decided_by));
	rl_text_add(&t, " says ");
	rl_text_add(&t, rl_state_name(c, c->state));
	return rl_fail(err, RELINK_OVERRIDDEN, c, reason);
}

static int report_overridden(const struct rl_decision *decisions, size_t count, struct relink_error *err)
{
	for (size_t i = 0; i < count; i++)
		if (decisions[i].choice && decisions[i].state != RL_NONE && decisions[i].choice->decided_by > decisions[i].level &&
		    decisions[i].choice->state != decisions[i].state)
			return overridden(&decisions[i], err);
	return RELINK_OK;
}

/* Uses are looked at when a key may change for the first time; that may bring keys without a name. */
static bool know_uses(struct rl_core *core, const struct rl_decision *decisions, size_t count)
{
	bool keys = core->unindexed && core->drives;

	for (size_t i = 0; i < count && core->unindexed && !keys; i++)
		keys = decisions[i].query || decisions[i].choice->key_count;
	return !keys || rl_index_all_uses(core);
}

/* A query may be about any key. */
static size_t bound_on_keys(const struct rl_core *core, const struct rl_decision *decisions, size_t count)
{
	size_t n = 0;

	for (size_t i = 0; i < count && !n; i++)
		for (const struct rl_choice *c = decisions[i].query ? core->choices : 0; c; c = c->next)
			n += c->key_count != 0;
	return n;
}

static int take_decision(struct rl_plan *plan, const struct rl_decision *d)
{
	int r;

	if (d->query)
		return rl_ask_uses(plan, d->query, d->query_length, d->level);
	rl_touch(plan, d->choice);
	r = rl_ask(plan->core, d->choice, d->level, d->state, d->custom, plan->err);
	if (!r && !d->keep_uses)
		rl_forget_use_opinions(d->choice, d->level);
	return r;
}

static int report_queries(const struct rl_plan *plan, const struct rl_decision *decisions, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (decisions[i].query)
			return rl_report_uses(plan, decisions[i].level);
	return RELINK_OK;
}

int rl_commit(struct rl_core *core, const struct rl_decision *decisions, size_t count, int mode, struct relink_error *err)
{
	struct rl_choice *fixed[8], **set = fixed;
	struct rl_plan plan = { .core = core, .err = err };
	size_t most;
	int r;

	if (!know_uses(core, decisions, count))
		return rl_fail(err, RELINK_E_MEMORY, 0, "out of memory; nothing has changed");
	most = bound_on_choices(core, count) + bound_on_keys(core, decisions, count);
	if (most > sizeof(fixed) / sizeof(*fixed))
		set = core->hooks->alloc(most * sizeof(*set));
	if (!set)
		return rl_fail(err, RELINK_E_MEMORY, 0, "out of memory; nothing has changed");
	plan.choices = set;
	r = rl_plan_mode(&plan, mode);
	for (size_t i = 0; i < count && !r; i++)
		r = take_decision(&plan, &decisions[i]);
	r = r ? r : decide_and_run(&plan, true);
	r = r ? r : report_queries(&plan, decisions, count);
	release(&plan, set, fixed);
	return r ? r : report_overridden(decisions, count, err);
}

static int settle(struct rl_plan *plan)
{
	struct rl_core *core = plan->core;
	struct rl_choice **set;
	size_t n = 0;
	int r;

	if (rl_uses_wanted(core) && !rl_index_all_uses(core))
		return rl_fail(plan->err, RELINK_E_MEMORY, 0, "out of memory; nothing has changed");
	for (struct rl_choice *c = core->choices; c; c = c->next)
		n++;
	set = core->hooks->alloc((n + 1) * sizeof(*set));
	if (!set)
		return rl_fail(plan->err, RELINK_E_MEMORY, 0, "out of memory; nothing has changed");
	plan->choices = set;
	r = rl_plan_mode(plan, plan->mode);
	for (struct rl_choice *c = core->choices; c && !r; c = c->next)
		if (!plan->bind || rl_is_pointer(c))
			rl_touch(plan, c);
	r = r ? r : decide_and_run(plan, false);
	release(plan, set, 0);
	return r;
}

int rl_settle(struct rl_core *core, struct rl_module *arriving, bool fresh, bool rebind, struct relink_error *err)
{
	struct rl_plan plan = { .core = core, .err = err, .arriving = arriving, .fresh = fresh, .rebind = rebind };

	return settle(&plan);
}

int rl_settle_least(struct rl_core *core, struct rl_module *arriving, bool fresh, struct relink_error *err)
{
	struct rl_plan plan = { .core = core, .err = err, .arriving = arriving, .fresh = fresh, .keep = true };

	return settle(&plan);
}

int rl_bind_pointers(struct rl_core *core, int mode, struct relink_error *err)
{
	struct rl_plan plan = { .core = core, .err = err, .mode = mode, .bind = true, .keep = true };

	return settle(&plan);
}

int rl_settle_stopped(struct rl_core *core, struct relink_error *err)
{
	struct rl_plan plan = { .core = core, .err = err, .mode = RELINK_STOP, .keep = true };

	return settle(&plan);
}
