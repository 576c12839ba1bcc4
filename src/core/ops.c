/* SPDX-License-Identifier: MIT */
/*
 * ops.c - operations tables: a choice whose variants are backends, and the static calls that follow it.
 *
 * A member has two variants of its own, what is bound and what comes next; its state says which of them is bound. Thus a backend
 * is read once, when it is bound, and members that are the same in both backends do not move.
 */
#include "core/core.h"

/* ---- markers ---- */

static bool add_mark(struct rl_core *core, struct rl_module *module, const struct relink_op_mark_record *record)
{
	struct rl_mark *m = core->hooks->alloc(sizeof(*m));

	if (!m)
		return false;
	*m = (struct rl_mark){ core->marks, module, record->fn, record->constant, RL_FUNCTION,
			       (record->head.flags & RELINK_VARIANT_NARROW) != 0 };
	if (record->what == RELINK_OP_MARK_NOP)
		m->what = RL_NOTHING;
	else if (record->what == RELINK_OP_MARK_IDENTITY)
		m->what = RL_IDENTITY;
	else if (record->what == RELINK_OP_MARK_CONST)
		m->what = RL_CONSTANT;
	core->marks = m;
	return true;
}

void rl_remove_marks(struct rl_core *core, const struct rl_module *module)
{
	struct rl_mark **at = &core->marks;

	while (*at) {
		struct rl_mark *m = *at;

		if (m->module != module) {
			at = &m->next;
			continue;
		}
		*at = m->next;
		core->hooks->free(m);
	}
}

/* ---- backends ---- */

typedef void (*function)(void);

static function function_at(uintptr_t backend, const struct relink_op *op)
{
	function fn;

	__builtin_memcpy(&fn, (const char *)backend + op->offset, sizeof(fn));
	return fn;
}

/* What a member is to be, by what the backend has in its place. */
static struct rl_variant read_member(const struct rl_core *core, const struct rl_choice *member, uintptr_t backend)
{
	struct rl_variant v = { .module = member->module, .fn = function_at(backend, member->op), .what = RL_FUNCTION };

	if (!v.fn) {
		v.fn = member->op->missing;
		return v;
	}
	if (v.fn == relink_do_nothing)
		v.what = RL_NOTHING;
	else if (v.fn == (function)relink_do_identity)
		v.what = RL_IDENTITY;
	for (const struct rl_mark *m = core->marks; m && v.what == RL_FUNCTION; m = m->next)
		if (m->fn == v.fn) {
			v.what = m->what;
			v.constant = m->constant;
			v.narrow = m->narrow;
		}
	return v;
}

static bool same(const struct rl_variant *a, const struct rl_variant *b)
{
	return a->fn == b->fn && a->what == b->what && a->constant == b->constant;
}

static void follow(const struct rl_core *core, const struct rl_choice *table, struct rl_choice *member)
{
	struct rl_variant next;

	member->next_state = member->state;
	member->next_by = table->next_by;
	/* A backend that is bound is not looked at again. */
	if (!table->variants || (member->is_read && !rl_call_moves(table)))
		return;
	if (rl_is_baked(member))
		return;
	next = read_member(core, member, (uintptr_t)rl_want_of(table, table->next_state, table->next_custom).address);
	if (same(&next, &member->variants[member->state]))
		return;
	member->next_state = !member->state;
	member->variants[member->next_state] = next;
}

void rl_follow_tables(struct rl_plan *plan)
{
	for (size_t i = 0; i < plan->choice_count; i++) {
		struct rl_choice *member = plan->choices[i];

		if (member->owner)
			follow(plan->core, member->owner, member);
	}
}

void rl_read_baked(const struct rl_core *core, const struct rl_module *module)
{
	for (struct rl_choice *c = core->choices; c; c = c->next) {
		if (c->module != module || !rl_is_baked(c))
			continue;
		c->decided_by = RELINK_BY_BAKED;
		if (c->owner && c->owner->variants) {
			c->variants[0] = read_member(core, c, (uintptr_t)rl_want_of(c->owner, c->owner->state, 0).address);
			c->is_read = true;
		}
	}
}

/* Is any function of this backend in the module? Backends are data, and only code is known of a module. */
static bool has_code_in(const struct rl_choice *table, uintptr_t backend, const struct rl_module *module)
{
	for (size_t i = 0; i < table->member_count; i++) {
		uintptr_t fn = (uintptr_t)function_at(backend, table->members[i]->op);

		if (fn >= module->text_start && fn < module->text_stop)
			return true;
	}
	return false;
}

bool rl_is_custom_in(const struct rl_choice *choice, const struct rl_module *module)
{
	uintptr_t custom = (uintptr_t)choice->custom;

	if (choice->asked[RELINK_BY_PROGRAM] != RL_CUSTOM)
		return false;
	if (choice->kind == RELINK_OPS)
		return has_code_in(choice, custom, module);
	return custom >= module->text_start && custom < module->text_stop;
}

/* xen_pv is also xen. */
bool rl_backend_named(const struct rl_choice *table, const char *have, const char *state, size_t length)
{
	size_t all = rl_length(have), suffix = rl_length(table->name);

	if (all != length + 1 + suffix || have[length] != '_' || !rl_same(have + length + 1, table->name))
		return false;
	for (size_t i = 0; i < length; i++)
		if (have[i] != state[i])
			return false;
	return true;
}

int rl_fail_member(struct relink_error *err, const struct rl_choice *member)
{
	char reason[160];
	struct rl_text t = rl_text_into(reason, sizeof(reason));

	rl_text_add(&t, "a member of the operations table ");
	rl_text_add(&t, member->owner->name);
	rl_text_add(&t, ", which is bound as a whole: bind a backend of the table");
	return rl_fail(err, RELINK_E_ARGUMENT, member, reason);
}

/* ---- records ---- */

/* Until the table has been read: what the slot holds at link time. */
bool rl_init_member(struct rl_core *core, struct rl_choice *member)
{
	member->variants = core->hooks->alloc(2 * sizeof(*member->variants));
	if (!member->variants)
		return false;
	member->variants[0] = (struct rl_variant){ .module = member->module, .fn = *member->call->slot, .what = RL_FUNCTION };
	return true;
}

static bool add_members(struct rl_core *core, struct rl_choice *table, const struct relink_op_list *list)
{
	table->members = core->hooks->alloc(list->count * sizeof(*table->members));
	if (!table->members)
		return false;
	for (size_t i = 0; i < list->count; i++) {
		struct rl_choice *member = list->op[i].call->choice;

		if (!member || !member->variants)
			return false;
		member->owner = table;
		member->op = &list->op[i];
		table->members[table->member_count++] = member;
	}
	core->member_count += table->member_count;
	return true;
}

static bool add_table(struct rl_core *core, struct rl_module *module, const struct relink_ops_record *record)
{
	struct rl_choice *c = rl_new_choice(core, module, RELINK_OPS, record->name, record->doc);

	if (!c)
		return false;
	c->flags = record->head.flags;
	c->call = &record->list->ops->call;
	c->call->choice = c;
	__atomic_fetch_add(&core->call_count, 1, __ATOMIC_RELAXED);
	return add_members(core, c, record->list);
}

bool rl_add_tables(struct rl_core *core, struct rl_module *module)
{
	const void *at = module->header->records_start, *stop = module->header->records_stop;
	const struct relink_record *record;
	bool ok = true;

	while (ok && (record = rl_next_record(&at, stop)))
		if (record->kind == RELINK_RECORD_OPS)
			ok = add_table(core, module, (const void *)record);
		else if (record->kind == RELINK_RECORD_OP_MARK)
			ok = add_mark(core, module, (const void *)record);
	return ok;
}

void rl_free_ops(struct rl_core *core, struct rl_choice *choice)
{
	if (choice->members) {
		core->member_count -= choice->member_count;
		core->hooks->free(choice->members);
	}
	if ((choice->flags & RELINK_OWNED) && choice->variants)
		core->hooks->free(choice->variants);
}

uintptr_t relink_do_identity(uintptr_t first)
{
	return first;
}
