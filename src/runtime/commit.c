/* SPDX-License-Identifier: MIT */
/* commit.c - from wishes to decisions: finds the choices and states that a transaction names, then asks the core. */
#include <stdlib.h>

#include "runtime/runtime.h"

static int not_known(struct relink_error *err, const char *what)
{
	return rl_fail(err, RELINK_E_UNKNOWN, 0, what);
}

static int decide_named(struct rl_core *core, const struct relink_wish *w, struct rl_decision *d, struct relink_error *err)
{
	size_t length = rl_length(w->name);
	int code;

	d->choice = rl_find_choice(core, w->name, length, &code);
	if (code == RELINK_E_AMBIGUOUS)
		return rl_fail(err, code, 0, "several modules have a choice of that name; write module:name");
	if (!d->choice)
		return rl_fail_unknown(core, err, w->name, length);
	if (d->choice->owner)
		return rl_fail_member(err, d->choice);
	if (!w->state_name)
		return 0;
	d->state = rl_want_state(core, d->choice, w->state_name, rl_length(w->state_name));
	return d->state == RL_NONE ? rl_fail_state(err, d->choice, w->state_name, rl_length(w->state_name)) : 0;
}

static int decide_key(struct rl_core *core, const struct relink_wish *w, struct rl_decision *d, struct relink_error *err)
{
	struct rl_key *k = rl_key_of(core, w->key);

	if (!k)
		return rl_fail(err, RELINK_E_MEMORY, 0, "out of memory; nothing has changed");
	if (k->owner->kind != RELINK_KEY)
		return rl_fail(err, RELINK_E_ARGUMENT, k->owner, "this key belongs to an option; set the option");
	d->choice = k->owner;
	d->state = w->state;
	return 0;
}

/* A function that is a registered variant is that state; any other is `custom`. Named after the lock is gone. */
static void decide_function(struct rl_choice *c, void (*fn)(void), struct rl_decision *d)
{
	d->state = RL_CUSTOM;
	d->custom = fn;
	for (size_t i = 0; i < c->count; i++)
		if (c->variants[i].module && (fn ? c->variants[i].fn == fn && c->variants[i].what != RL_NOTHING
						  : c->variants[i].what == RL_NOTHING))
			d->state = (int)i;
}

static int decide_call(const struct relink_wish *w, struct rl_decision *d, struct relink_error *err)
{
	d->choice = w->call->choice;
	if (!d->choice)
		return not_known(err, "this static call is not registered; was its module's constructor skipped?");
	if (d->choice->owner)
		return rl_fail_member(err, d->choice);
	if (w->state == RL_NONE)
		return 0;
	if (!w->fn && d->choice->kind == RELINK_OPS)
		return rl_fail(err, RELINK_E_ARGUMENT, d->choice, "NULL is no backend; relink_unbind_ops withdraws the program's opinion");
	decide_function(d->choice, w->fn, d);
	if (!w->fn && d->state == RL_CUSTOM)
		return rl_fail(err, RELINK_E_STATE, d->choice, "NULL needs a static call that returns void, and does return");
	return 0;
}

/* Values that the program has assigned itself are read when it is its first commit, see core/pointer.c. */
static int decide_pointer(struct rl_core *core, const struct relink_wish *w, struct rl_decision *d, struct relink_error *err)
{
	d->choice = rl_pointer_choice(core, (uintptr_t)w->pointer);
	if (!d->choice || !rl_name_anonymous(core, d->choice))
		return not_known(err, "this is not a pointer marked with RELINK_POINTER, or an executable has copied it out of its shared "
				      "object: compile the executable with -fPIE, or give the variable protected visibility");
	if (w->state == RL_NONE)
		return 0;
	d->state = d->choice->variants[0].fn == w->fn ? 0 : RL_CUSTOM;
	d->custom = w->fn;
	return 0;
}

static int decide_option(const struct relink_wish *w, struct rl_decision *d, struct relink_error *err)
{
	d->choice = w->option->choice;
	d->state = w->state;
	return d->choice ? 0 : not_known(err, "this option is not registered; was its module's constructor skipped?");
}

static int decide_immediate(struct rl_core *core, const struct relink_wish *w, struct rl_decision *d, struct relink_error *err)
{
	d->choice = w->immediate->choice;
	if (!d->choice)
		return not_known(err, "this immediate is not registered; was its module's constructor skipped?");
	if (w->state == RL_NONE)
		return 0;
	d->state = rl_number_state(core, d->choice, w->value);
	return d->state == RL_NONE ? rl_fail(err, RELINK_E_MEMORY, 0, "out of memory; nothing has changed") : 0;
}

static int decide(struct rl_core *core, const struct relink_wish *w, struct rl_decision *d, struct relink_error *err)
{
	*d = (struct rl_decision){ .level = w->level, .state = RL_NONE };
	if (w->level <= RELINK_BY_DEFAULT || w->level >= RELINK_LEVELS)
		return rl_fail(err, RELINK_E_ARGUMENT, 0, "a wish of an unknown level");
	if (w->uses) {
		d->query = w->uses;
		d->query_length = rl_length(w->uses);
		return 0;
	}
	if (w->name)
		return decide_named(core, w, d, err);
	if (w->key)
		return decide_key(core, w, d, err);
	if (w->call)
		return decide_call(w, d, err);
	if (w->pointer)
		return decide_pointer(core, w, d, err);
	if (w->option)
		return decide_option(w, d, err);
	if (w->immediate)
		return decide_immediate(core, w, d, err);
	return rl_fail(err, RELINK_E_ARGUMENT, 0, "a wish without an object");
}

/* dladdr takes the loader's lock, so names of custom targets are found before ours is taken. */
static void name_custom(const struct relink_wish *w, char *name, size_t size)
{
	char symbol[48];
	struct rl_text t = rl_text_into(name, size);

	*symbol = 0;
	if (w->fn)
		rl_symbol_name((const void *)(uintptr_t)w->fn, symbol, sizeof(symbol));
	rl_text_add(&t, "custom:");
	rl_text_add(&t, w->fn ? symbol : "NULL");
}

static void set_custom_name(const struct rl_decision *d, const char *name)
{
	struct rl_text t = rl_text_into(d->choice->custom_name, sizeof(d->choice->custom_name));

	rl_text_add(&t, name);
}

/*
 * The program's first commit since a module came takes over what start-up code has assigned to its pointers. Where they can't be
 * bound they are right all the same, so only a commit that is about nothing else fails.
 */
static int take_over_pointers(size_t count, int mode, bool *sealed, struct relink_error *err)
{
	struct rl_core *core = &rl_runtime.core;
	struct relink_error unused;
	int failed = 0, r = 0;

	*sealed = core->pointer_modules && rl_seal_pointers(core, count ? &unused : err, &failed);
	if (*sealed || (core->pointer_modules && !count))
		r = rl_bind_pointers(core, mode, count ? &unused : err);
	if (r && count)
		rl_remark(unused.text);
	return count ? 0 : failed ? failed : r;
}

static int commit_locked(const struct relink_wish *wishes, size_t count, struct rl_decision *decisions, int mode,
			 struct relink_error *err)
{
	struct rl_core *core = &rl_runtime.core;
	int r = 0;

	for (size_t i = 0; i < count && !r; i++)
		r = decide(core, &wishes[i], &decisions[i], err);
	r = r ? r : rl_commit(core, decisions, count, mode, err);
	return r;
}

/* A registered variant has a name already; only functions from outside need the loader's help. */
static bool may_be_custom(const struct relink_wish *w)
{
	return ((w->call && w->fn) || w->pointer) && w->state != RL_NONE;
}

static const struct rl_choice *choice_of(const struct relink_wish *w)
{
	return w->pointer ? rl_pointer_choice(&rl_runtime.core, (uintptr_t)w->pointer) : w->call->choice;
}

static void name_customs(const struct relink_wish *wishes, const struct rl_decision *decisions, size_t count)
{
	char name[64];
	struct relink_error unused;

	for (size_t i = 0; i < count; i++) {
		if (!may_be_custom(&wishes[i]) || decisions[i].state != RL_CUSTOM)
			continue;
		name_custom(&wishes[i], name, sizeof(name));
		if (rl_lock(&unused))
			return;
		if (choice_of(&wishes[i]) == decisions[i].choice && decisions[i].choice->bound_custom == wishes[i].fn)
			set_custom_name(&decisions[i], name);
		rl_unlock();
	}
}

int rl_commit_wishes(const struct relink_wish *wishes, size_t count, int mode, struct relink_error *err)
{
	struct rl_decision few[8], *decisions = few;
	bool sealed;
	int r;

	if (count > sizeof(few) / sizeof(*few))
		decisions = calloc(count, sizeof(*decisions));
	if (!decisions)
		return rl_fail(err, RELINK_E_MEMORY, 0, "out of memory; nothing has changed");
	r = rl_lock(err);
	if (!r) {
		r = take_over_pointers(count, mode, &sealed, err);
		r = r ? r : commit_locked(wishes, count, decisions, mode, err);
		rl_unlock();
		if (sealed)
			rl_name_starts();
		if (r >= 0)
			name_customs(wishes, decisions, count);
		rl_pin_final_targets();
	}
	if (decisions != few)
		free(decisions);
	return r;
}

static int count_locked(struct rl_key *k, int by, struct relink_error *err)
{
	struct rl_choice *c = k->owner;
	struct rl_decision d = { .choice = c, .level = RELINK_BY_PROGRAM, .state = c->uses + by ? 1 : RL_NONE,
				 .keep_uses = c->uses > 0 && c->uses + by > 0 };
	int r;

	if (c->kind != RELINK_KEY)
		return rl_fail(err, RELINK_E_ARGUMENT, c, "this key belongs to an option; set the option");
	if (c->uses + by < 0)
		return rl_fail(err, RELINK_E_COUNT, c, "more dec than inc");
	/* Counts in between change nothing, but an override from above is worth saying each time. */
	r = rl_commit(&rl_runtime.core, &d, 1, RELINK_LIVE, err);
	if (r >= 0) {
		c->uses += by;
		__atomic_store_n(&k->key->count, c->uses, __ATOMIC_RELAXED);
	}
	return r;
}

int rl_count_key(struct relink_key *key, int by, struct relink_error *err)
{
	struct rl_key *k;
	bool sealed;
	int r = rl_lock(err);

	if (r)
		return r;
	take_over_pointers(1, RELINK_LIVE, &sealed, err);
	k = rl_key_of(&rl_runtime.core, key);
	r = k ? count_locked(k, by, err) : rl_fail(err, RELINK_E_MEMORY, 0, "out of memory; nothing has changed");
	rl_unlock();
	if (sealed) {
		rl_name_starts();
		rl_pin_final_targets();
	}
	return r;
}

static bool guard_lookup(uintptr_t address, int *kind, uint8_t bytes[8])
{
	return rl_guard_find(&rl_runtime.core, address, kind, bytes);
}

/* Where a guard of ours has been, a trap without an int3 below it has come late. Elsewhere it is somebody's `cd 03`. */
static bool guard_covers(uintptr_t address)
{
	return rl_guard_known(&rl_runtime.core, address);
}

static int declare_traps(unsigned what, struct relink_error *err)
{
	struct rl_core *core = &rl_runtime.core;
	int r;

	if (!core->can_write)
		return rl_fail(err, RELINK_E_WRITE, 0, core->why);
	r = rl_traps_enable(guard_lookup, guard_covers);
	if (r)
		return rl_fail(err, RELINK_E_TRAPS, 0, "the SIGTRAP handler could not be installed");
	core->traps = true;
	core->strict |= (what & RELINK_STRICT_XMC) != 0;
	return 0;
}

static int declare_stores(struct relink_error *err)
{
	struct rl_core *core = &rl_runtime.core;
	const char *why = core->can_write && core->can_sync ? rl_text_probe_store() : core->why;

	if (why)
		return rl_fail(err, RELINK_E_WRITE, 0, why);
	core->one_store = true;
	return 0;
}

static int declare(unsigned what, struct relink_error *err)
{
	struct rl_core *core = &rl_runtime.core;
	int r = 0;

	core->foreign_stacks |= (what & RELINK_FOREIGN_STACKS) != 0;
	if (what & RELINK_WRITABLE_CODE && !core->one_store)
		r = declare_stores(err);
	if (!r && what & (RELINK_TRAPS | RELINK_STRICT_XMC))
		r = declare_traps(what, err);
	/* Sites that waited on their trampoline can be bound now. */
	return r || what == RELINK_FOREIGN_STACKS ? r : rl_settle(core, 0, false, true, err);
}

int rl_declare(unsigned what, struct relink_error *err)
{
	int r;

	if (!what || (what & ~(RELINK_TRAPS | RELINK_STRICT_XMC | RELINK_FOREIGN_STACKS | RELINK_WRITABLE_CODE)))
		return rl_fail(err, RELINK_E_ARGUMENT, 0,
			       "relink_declare takes RELINK_TRAPS, RELINK_STRICT_XMC, RELINK_FOREIGN_STACKS and RELINK_WRITABLE_CODE");
	r = rl_lock(err);
	if (r)
		return r;
	r = declare(what, err);
	rl_unlock();
	return r;
}
