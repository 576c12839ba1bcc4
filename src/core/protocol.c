/* SPDX-License-Identifier: MIT */
/*
 * protocol.c - the order of writes and barriers, so that a running thread sees the old instruction or the new one, never a mix.
 *
 *	phase 1  guards: int3 (sites that one store can't change), "through the slot" (trampolines that are retargeted)
 *	         barrier 1: nobody is inside an instruction whose operand changes next
 *	phase 2  operands that no instruction uses now; the slots
 *	         barrier 2: everybody who sees a new first byte sees its operand
 *	phase 3  first bytes, one-store words, branches
 *	         barrier 3: nobody enters the old binding any more
 *
 * Phases 1 and 2 and their barriers are left out when nothing needs them: flips of branches take phase 3 alone. Alone
 * in the process, or in a module that nobody runs yet, everything is phase 3. In stop mode all other threads are parked
 * around it all, see stop.c, and who is alone needs no order.
 */
#include "core/core.h"

static void step(struct rl_core *core, int at)
{
	if (core->hooks->step)
		core->hooks->step(at);
}

static bool relaxed(const struct rl_plan *plan, const struct rl_change_record *c)
{
	return plan->quiet || (plan->arriving && c->address >= plan->arriving->text_start && c->address < plan->arriving->text_stop);
}

/* Where no other thread runs what has changed, the hook has done what is needed even if it failed. */
static int sync(struct rl_plan *plan)
{
	struct rl_core *core = plan->core;
	int r = rl_span_flush(core);

	if (r)
		return r;
	core->barriers++;
	r = core->hooks->barrier();
	if (plan->quiet || !plan->others)
		return 0;
	plan->synced |= !r;
	plan->unsynced |= r != 0;
	return r;
}

/* ---- the phases; each returns 0 or -errno ---- */

static int guard_sites(struct rl_plan *plan, bool *any)
{
	struct rl_core *core = plan->core;
	int r = 0;

	for (size_t i = 0; i < plan->change_count && !r; i++) {
		struct rl_change_record *c = &plan->changes[i];

		if (relaxed(plan, c) || (c->change != RL_DETOUR && c->change != RL_SPLIT))
			continue;
		*any = true;
		r = rl_span_put(core, c->address, c->change == RL_DETOUR ? &core->port->through : &core->port->guard, 1);
	}
	return r ? r : rl_span_flush(core);
}

static bool has_free_operand(const struct rl_change_record *c)
{
	return c->change == RL_DETOUR || c->change == RL_SPLIT || c->change == RL_OPERAND_FIRST;
}

static int write_operands(struct rl_plan *plan, bool *any)
{
	int r = 0;

	for (size_t i = 0; i < plan->change_count && !r; i++) {
		struct rl_change_record *c = &plan->changes[i];

		if (relaxed(plan, c) || !has_free_operand(c))
			continue;
		*any = true;
		r = rl_span_put(plan->core, c->address + 1, c->new + 1, c->length - 1u);
	}
	return r ? r : rl_span_flush(plan->core);
}

static int write_opcodes(struct rl_plan *plan)
{
	struct rl_core *core = plan->core;
	int r = 0;

	for (size_t i = 0; i < plan->change_count && !r; i++) {
		struct rl_change_record *c = &plan->changes[i];

		if (c->change == RL_SAME)
			continue;
		if (relaxed(plan, c))
			r = rl_span_put(core, c->address, c->new, c->length);
		else if (c->change == RL_STORE)
			r = rl_store_word(core, c->address, c->new, c->length);
		else
			r = rl_span_put(core, c->address, c->new, 1);
	}
	return r ? r : rl_span_flush(core);
}

static int flip_to(struct rl_plan *plan, struct rl_group *group, bool on)
{
	const struct rl_port *port = plan->core->port;
	int r = 0;

	for (size_t i = 0; i < group->count && !r; i++) {
		const struct relink_branch_record *record = rl_group_record(group, i);
		bool jumps = rl_branch_becomes(group, i, on) != ((rl_branch_flags(record) & RELINK_BRANCH_ON_FALSE) != 0);

		if (rl_branch_moves(group, i))
			r = rl_span_put(plan->core, rl_branch_site(record), &port->flip[jumps], 1);
	}
	return r;
}

static int flip_back(struct rl_plan *plan, struct rl_group *group, bool on)
{
	return flip_to(plan, group, !on);
}

static bool lists_flips(const struct rl_plan *plan)
{
	return plan->core->strict && !plan->quiet; /* the plan has asked whether we are alone */
}

static int flip_branches(struct rl_plan *plan)
{
	int r = plan->flips && !lists_flips(plan) ? rl_walk_flips(plan, flip_to) : 0;

	return r ? r : rl_span_flush(plan->core);
}

/* A function pointer is one aligned word: a thread reads the old target or the new one. */
static void store_slot(const struct rl_choice *call, int state, void (*custom)(void))
{
	struct rl_want want = rl_want_of(call, state, custom);

	__atomic_store_n(call->call->slot, (void (*)(void))(uintptr_t)want.address, __ATOMIC_RELEASE);
}

static void store_slots(struct rl_plan *plan)
{
	for (size_t i = 0; i < plan->choice_count; i++)
		if (rl_call_moves(plan->choices[i]))
			store_slot(plan->choices[i], plan->choices[i]->next_state, plan->choices[i]->next_custom);
}

static void restore_slots(struct rl_plan *plan)
{
	for (size_t i = 0; i < plan->choice_count; i++)
		if (rl_call_moves(plan->choices[i]))
			store_slot(plan->choices[i], plan->choices[i]->state, plan->choices[i]->bound_custom);
}

/* ---- preparation ---- */

static int privatise_group(struct rl_plan *plan, struct rl_group *group, bool on)
{
	uintptr_t last = 0;
	int r = 0;

	(void)on;
	for (size_t i = 0; i < group->count && !r; i++) {
		uintptr_t address = rl_group_address(group, i);

		if (!rl_branch_moves(group, i))
			continue;
		if ((address ^ last) >> 12)
			r = rl_make_private(plan->core, group->module, address, 1);
		last = address;
	}
	return r;
}

static struct rl_module *module_at(const struct rl_core *core, uintptr_t address)
{
	struct rl_module *m = core->modules;

	while (m && (address < m->text_start || address >= m->text_stop))
		m = m->next;
	return m;
}

static int prepare(struct rl_plan *plan)
{
	int r = rl_walk_flips(plan, privatise_group);

	for (size_t i = 0; i < plan->change_count && !r; i++) {
		struct rl_change_record *c = &plan->changes[i];

		if (c->change != RL_SAME)
			r = rl_make_private(plan->core, module_at(plan->core, c->address), c->address, c->length);
	}
	return r;
}

/* ---- roll-back: the same phases towards the old bytes ---- */

/* What one store puts right; and first bytes whose operand has to become free again. */
static int restore_simple(struct rl_plan *plan)
{
	int r = 0;

	for (size_t i = 0; i < plan->change_count && !r; i++) {
		struct rl_change_record *c = &plan->changes[i];

		if (relaxed(plan, c) || c->change == RL_SPLIT || c->change == RL_SAME)
			continue;
		if (c->change == RL_STORE)
			r = rl_store_word(plan->core, c->address, c->old, c->length);
		else if (c->change == RL_OPCODE)
			r = rl_span_put(plan->core, c->address, c->old, 1);
		else if (*(const volatile uint8_t *)c->address == c->new[0] && c->new[0] != c->old[0])
			r = rl_span_put(plan->core, c->address, c->change == RL_DETOUR ? &plan->core->port->through : c->old, 1);
	}
	return r ? r : rl_span_flush(plan->core);
}

static int restore_bytes(struct rl_plan *plan, bool operands)
{
	int r = 0;

	for (size_t i = 0; i < plan->change_count && !r; i++) {
		struct rl_change_record *c = &plan->changes[i];

		if (c->change == RL_SAME || (c->change == RL_STORE && !relaxed(plan, c)))
			continue;
		if (relaxed(plan, c))
			r = operands ? rl_span_put(plan->core, c->address, c->old, c->length) : 0;
		else if (operands)
			r = rl_span_put(plan->core, c->address + 1, c->old + 1, c->length - 1u);
		else
			r = rl_span_put(plan->core, c->address, c->old, 1);
	}
	return r ? r : rl_span_flush(plan->core);
}

static bool is_as_before(const struct rl_change_record *c)
{
	const volatile uint8_t *now = (const volatile uint8_t *)c->address;

	for (size_t i = 0; i < c->length; i++)
		if (now[i] != c->old[i])
			return false;
	return true;
}

/* A guard again on what may already have its new first byte. What was not reached may be what can't be written. */
static int reguard(struct rl_plan *plan)
{
	int r = 0;

	for (size_t i = 0; i < plan->change_count && !r; i++) {
		struct rl_change_record *c = &plan->changes[i];
		const uint8_t *byte = c->change == RL_DETOUR ? &plan->core->port->through : &plan->core->port->guard;

		if (!relaxed(plan, c) && (c->change == RL_DETOUR || c->change == RL_SPLIT) && !is_as_before(c))
			r = rl_span_put(plan->core, c->address, byte, 1);
	}
	return r ? r : rl_span_flush(plan->core);
}

static int unwind(struct rl_plan *plan)
{
	struct rl_core *core = plan->core;
	int r;

	core->span->length = core->span->count = 0;
	r = plan->flips && !lists_flips(plan) ? rl_walk_flips(plan, flip_back) : 0;
	r = r ? r : rl_span_flush(core);
	r = r ? r : reguard(plan);
	r = r ? r : restore_simple(plan);
	restore_slots(plan);
	r = r ? r : sync(plan);
	r = r ? r : restore_bytes(plan, true);
	r = r ? r : sync(plan);
	r = r ? r : restore_bytes(plan, false);
	return r ? r : sync(plan);
}

/*
 * The commit's first barrier has failed. Until then single bytes and words have changed, each from one good instruction into
 * another, and operands that no instruction uses: that goes back without a barrier.
 */
static int unwind_unsynced(struct rl_plan *plan)
{
	struct rl_core *core = plan->core;
	int r = plan->flips && !lists_flips(plan) ? rl_walk_flips(plan, flip_back) : 0;

	for (size_t i = 0; i < plan->change_count && !r; i++) {
		struct rl_change_record *c = &plan->changes[i];

		if (c->change == RL_SAME)
			continue;
		if (c->change == RL_STORE && !relaxed(plan, c))
			r = rl_store_word(core, c->address, c->old, c->length);
		else if (c->change == RL_OPERAND_FIRST || relaxed(plan, c))
			r = rl_span_put(core, c->address, c->old, c->length);
		else
			r = rl_span_put(core, c->address, c->old, 1);
	}
	restore_slots(plan);
	return r ? r : rl_span_flush(core);
}

static int is_flipped_back(struct rl_plan *plan, struct rl_group *group, bool on)
{
	for (size_t i = 0; i < group->count; i++) {
		const struct relink_branch_record *record = rl_group_record(group, i);
		bool jumped = rl_branch_becomes(group, i, !on) != ((rl_branch_flags(record) & RELINK_BRANCH_ON_FALSE) != 0);

		if (rl_branch_moves(group, i) && *(const volatile uint8_t *)rl_branch_site(record) != plan->core->port->flip[jumped])
			return -1;
	}
	return 0;
}

/* Not one byte was written: there is nothing to restore, and nobody who would have to hear of it. */
static bool is_untouched(struct rl_plan *plan)
{
	for (size_t i = 0; i < plan->change_count; i++)
		if (!is_as_before(&plan->changes[i]))
			return false;
	return lists_flips(plan) || !rl_walk_flips(plan, is_flipped_back);
}

static void roll_back(struct rl_plan *plan)
{
	struct rl_core *core = plan->core;
	int r;

	step(core, RL_STEP_ROLLBACK);
	if (is_untouched(plan)) {
		restore_slots(plan);
		return;
	}
	for (int tries = 0; tries < 3; tries++) {
		r = plan->unsynced && !plan->synced ? unwind_unsynced(plan) : unwind(plan);
		if (!r)
			return;
	}
	core->degraded = true;
	struct rl_text t = rl_text_into(core->degraded_text, sizeof(core->degraded_text));

	rl_text_add(&t, "a roll-back failed with error ");
	rl_text_add_dec(&t, (uint64_t)-r);
	rl_text_add(&t, "; some sites keep their new bytes");
}

/* ---- all together ---- */

static bool needs_guards(const struct rl_plan *plan)
{
	for (size_t i = 0; i < plan->change_count; i++)
		if (plan->changes[i].change == RL_SPLIT && !relaxed(plan, &plan->changes[i]))
			return true;
	return false;
}

/* Does any change take more than one step, with other threads looking on in between? */
static bool has_phases(const struct rl_plan *plan)
{
	for (size_t i = 0; i < plan->change_count; i++)
		if (!relaxed(plan, &plan->changes[i]) && has_free_operand(&plan->changes[i]))
			return true;
	return false;
}

static int run_phases(struct rl_plan *plan)
{
	struct rl_core *core = plan->core;
	bool guarded = false, operands = false;
	int r;

	plan->begun = !plan->quiet;
	r = guard_sites(plan, &guarded);
	step(core, RL_STEP_GUARDED);
	if (!r && guarded)
		r = sync(plan);
	step(core, RL_STEP_GUARD_BARRIER);
	if (r)
		return r;
	store_slots(plan);
	r = write_operands(plan, &operands);
	step(core, RL_STEP_OPERANDS);
	if (!r && operands)
		r = sync(plan);
	step(core, RL_STEP_OPERAND_BARRIER);
	r = r ? r : write_opcodes(plan);
	r = r ? r : flip_branches(plan);
	step(core, RL_STEP_OPCODES);
	r = r ? r : sync(plan);
	step(core, RL_STEP_OPCODE_BARRIER);
	return r;
}

#define ENOMEM_ 12
#define EILSEQ_ 84
#define NO_BARRIER "membarrier fails (a seccomp filter?), so other threads can't be told of changed code"

static const char *reason_of(const struct rl_plan *plan, int r)
{
	if (plan->unsynced)
		return NO_BARRIER;
	if (r == -ENOMEM_)
		return "out of memory";
	if (r == -EILSEQ_)
		return "something else rewrites the same code right now";
	return "the kernel refuses writes to code (a seccomp filter, or proc_mem.force_override?)";
}

static bool has_failed(const struct rl_core *core, const struct rl_group *g, size_t i, uintptr_t site)
{
	size_t length = core->port->length[g->key ? RL_BRANCH : g->sites[i].kind];

	return site < core->failed_at + core->failed_length && site + length > core->failed_at;
}

/* The first of these groups with a site in what could not be written. */
static const struct rl_group *failed_group(const struct rl_core *core, const struct rl_group *g, uintptr_t *site)
{
	for (; g; g = g->next)
		for (size_t i = 0; i < g->count; i++) {
			*site = rl_group_address(g, i);
			if (has_failed(core, g, i, *site))
				return g;
		}
	return 0;
}

static const struct rl_group *failed_site(const struct rl_core *core, const struct rl_choice *c, uintptr_t *site)
{
	const struct rl_group *g = failed_group(core, c->groups, site);

	for (size_t k = 0; k < c->key_count && !g; k++)
		g = failed_group(core, c->keys[k].groups, site);
	return g;
}

/* Names the site, or one of several that share a write. */
int rl_fail_at(const struct rl_plan *plan, int code, uintptr_t address, size_t length, const char *reason)
{
	const struct rl_module *module;
	const struct rl_choice *owner;
	const struct rl_group *g;
	uintptr_t site;

	plan->core->failed_at = address;
	plan->core->failed_length = length;
	for (size_t i = 0; length && i < plan->choice_count; i++) {
		const struct rl_choice *c = plan->choices[i];

		if (c->next_state == c->state && !rl_call_moves(c) && !c->use_moves && !plan->arriving && !plan->rebind && !plan->bind)
			continue;
		g = failed_site(plan->core, c, &site);
		if (g)
			return rl_fail_site(plan->err, code, c, g->module, site, reason);
	}
	if (plan->core->failed_length && rl_failed_patch(plan, &owner, &module, &site))
		return rl_fail_site(plan->err, code, owner, module, site, reason);
	if (plan->core->failed_length)
		return rl_fail_site(plan->err, code, 0, module_at(plan->core, plan->core->failed_at), plan->core->failed_at, reason);
	return rl_fail(plan->err, code, 0, reason);
}

static int fail_io(struct rl_plan *plan, int r)
{
	struct rl_core *core = plan->core;
	const char *why = reason_of(plan, r);
	char reason[200];
	struct rl_text t = rl_text_into(reason, sizeof(reason));

	core->lost = r == -ENOMEM_ || r == -EILSEQ_ ? core->lost : why;
	rl_text_add(&t, why);
	rl_text_add(&t, "; error ");
	rl_text_add_dec(&t, (uint64_t)-r);
	rl_text_add(&t, core->degraded ? "; roll-back failed too" : "; nothing has changed");
	return rl_fail_at(plan, core->degraded ? RELINK_E_DEGRADED : plan->unsynced ? RELINK_E_BARRIER : RELINK_E_WRITE,
			  core->failed_at, core->failed_length, reason);
}

static int run_window(struct rl_plan *plan)
{
	struct rl_core *core = plan->core;
	bool guards = needs_guards(plan);
	int r = 0;

	if (guards)
		r = rl_guard_reserve(core, plan->change_count);
	core->span->length = core->span->count = 0;
	core->failed_length = 0;
	/* In one phase a page whose first write fails is one that needs no restoring, and a roll-back leaves it alone. */
	if (!r && plan->phased)
		r = prepare(plan);
	step(core, RL_STEP_PREPARED);
	if (r)
		return fail_io(plan, r);
	if (guards)
		rl_guard_publish(core, plan->changes, plan->change_count);
	r = run_phases(plan);
	if (r)
		roll_back(plan);
	/* Where even that failed, guards stay served. */
	if (guards && !core->degraded)
		rl_guard_publish(core, 0, 0);
	core->commits++;
	return r ? fail_io(plan, r) : 0;
}

/* Code can't be written now. Where no code expresses what changes, the slots are enough. */
static bool leave_code(struct rl_plan *plan)
{
	if (plan->flips)
		return false;
	for (size_t i = 0; i < plan->change_count; i++)
		if (!plan->changes[i].site || plan->changes[i].site->reason == RELINK_BOUND)
			return false;
	for (size_t i = 0; i < plan->change_count; i++)
		plan->changes[i].site->reason = RELINK_INDIRECT;
	plan->change_count = 0;
	store_slots(plan);
	return true;
}

static int write_code(struct rl_plan *plan)
{
	struct rl_core *core = plan->core;
	const char *why = "";
	int r;

	plan->synced = plan->unsynced = false;
	plan->phased = has_phases(plan);
	if (core->hooks->begin(&why)) {
		core->lost = why;
		return rl_fail(plan->err, RELINK_E_WRITE, 0, why);
	}
	r = run_window(plan);
	core->hooks->end();
	if (!r)
		core->lost = 0;
	return r;
}

static int run(struct rl_plan *plan)
{
	int r;

	if (!plan->writes) {
		store_slots(plan);
		return 0;
	}
	r = write_code(plan);
	/* The barrier has been lost since start-up. Who is alone needs none. */
	if (r == RELINK_E_BARRIER && rl_alone_at_last(plan))
		r = write_code(plan);
	return r == RELINK_E_WRITE && leave_code(plan) ? 0 : r;
}

int rl_plan_run(struct rl_plan *plan)
{
	int r = rl_open_pointers(plan);

	if (r)
		return r;
	r = rl_stop_begin(plan);
	if (!r) {
		r = run(plan);
		rl_stop_end(plan);
	}
	rl_close_pointers(plan);
	return r;
}
