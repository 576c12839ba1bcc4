/* SPDX-License-Identifier: MIT */
/* choice.c - names, states, opinions and their precedence. */
#include "core/core.h"

/* "libfoo.so.1" is found as that and as "libfoo". */
static bool module_named(const struct rl_module *module, const char *name, size_t length)
{
	size_t stem = 0;

	if (!module)
		return false;
	if (rl_same_n(module->name, name, length))
		return true;
	while (module->name[stem] && module->name[stem] != '.')
		stem++;
	if (stem != length)
		return false;
	for (size_t i = 0; i < length; i++)
		if (module->name[i] != name[i])
			return false;
	return true;
}

bool rl_has_module(const struct rl_core *core, const char *name, size_t length)
{
	for (const struct rl_module *m = core->modules; m; m = m->next)
		if (module_named(m, name, length))
			return true;
	return false;
}

struct rl_choice *rl_find_choice(struct rl_core *core, const char *name, size_t length, int *code)
{
	struct rl_choice *found = 0;
	size_t colon = 0;
	bool qualified;

	while (colon < length && name[colon] != ':')
		colon++;
	qualified = colon < length;
	for (struct rl_choice *c = core->choices; c; c = c->next) {
		if (qualified ? !(module_named(c->module, name, colon) && rl_same_n(c->name, name + colon + 1, length - colon - 1))
			      : !rl_same_n(c->name, name, length))
			continue;
		if (found) {
			*code = RELINK_E_AMBIGUOUS;
			return 0;
		}
		found = c;
	}
	*code = found ? RELINK_OK : RELINK_E_UNKNOWN;
	return found;
}

/* States of a call go by the variant's name, with or without the call's own in front: crc=crc_generic, crc=generic. */
static bool state_named(const struct rl_choice *choice, const char *have, const char *state, size_t length)
{
	size_t prefix = rl_length(choice->name);

	if (rl_same_n(have, state, length))
		return true;
	if (choice->kind == RELINK_OPS)
		return rl_backend_named(choice, have, state, length);
	if (choice->kind != RELINK_CALL)
		return false;
	for (size_t i = 0; i < prefix; i++)
		if (have[i] != choice->name[i])
			return false;
	return have[prefix] == '_' && rl_same_n(have + prefix + 1, state, length);
}

/* What people write for on and off. */
static int key_state(const char *state, size_t length)
{
	static const char *const words[] = { "off", "on", "0", "1", "no", "yes", "false", "true" };

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (rl_same_n(words[i], state, length))
			return (int)(i & 1);
	return RL_NONE;
}

int rl_find_state(const struct rl_choice *choice, const char *state, size_t length)
{
	if (choice->kind == RELINK_KEY)
		return key_state(state, length);
	for (size_t i = 0; i < choice->count; i++)
		if ((!choice->variants || choice->variants[i].module) && state_named(choice, choice->states[i], state, length))
			return (int)i;
	return RL_NONE;
}

const char *rl_state_name(const struct rl_choice *choice, int state)
{
	if (state == RL_CUSTOM)
		return choice->custom_name;
	if (state < 0 || (size_t)state >= choice->count)
		return 0;
	return choice->states[state];
}

static bool usable(const struct rl_choice *choice, int state)
{
	if (state == RL_CUSTOM)
		return choice->kind == RELINK_CALL || choice->kind == RELINK_OPS || rl_is_pointer(choice);
	return state >= 0 && (size_t)state < choice->count && choice->usable[state] &&
	       (!choice->variants || choice->variants[state].module);
}

static int driven(const struct rl_core *core, const struct rl_choice *choice)
{
	for (const struct rl_drive *d = core->drives; d; d = d->next) {
		int now = d->option->touched ? d->option->next_state : d->option->state;

		if (d->choice == choice && now == d->state && usable(choice, d->to))
			return d->to;
	}
	return RL_NONE;
}

/* ---- variants that are for certain states of other choices ---- */

static struct rl_choice *owner_of_key(const struct relink_key *key)
{
	const struct rl_key *k = key->choice;

	return k ? k->owner : 0;
}

struct rl_choice *rl_when_choice(const struct relink_when *when)
{
	switch (when->kind) {
	case RELINK_WHEN_KIND_KEY: return owner_of_key(when->object);
	case RELINK_WHEN_KIND_OPTION: return ((const struct relink_option *)when->object)->choice;
	case RELINK_WHEN_KIND_IMMEDIATE: return ((const struct relink_immediate *)when->object)->choice;
	}
	return 0;
}

static bool is_key_when(const struct relink_key *key, uint64_t value)
{
	const struct rl_key *k = key->choice;
	bool on = k ? (k->owner->touched ? k->next : k->state) : key->state != 0;

	return on == (value != 0);
}

/* What this commit makes of it counts. A choice whose module has not come yet is as it was linked. */
static bool holds(const struct relink_when *when)
{
	const struct rl_choice *c = rl_when_choice(when);
	int state = c ? c->touched ? c->next_state : c->state : 0;

	switch (when->kind) {
	case RELINK_WHEN_KIND_KEY:
		return is_key_when(when->object, when->value);
	case RELINK_WHEN_KIND_OPTION:
		return (c ? state : ((const struct relink_option *)when->object)->state) == (int)when->value;
	case RELINK_WHEN_KIND_IMMEDIATE:
		return (c ? c->variants[state].constant : ((const struct relink_immediate *)when->object)->value) == when->value;
	}
	return false;
}

static bool is_when(const struct relink_when *when)
{
	for (; when && when->kind; when++)
		if (!holds(when))
			return false;
	return true;
}

/* The variant of highest rank, if any ranks above the default. */
static int best_variant(const struct rl_choice *choice)
{
	int best = choice->initial;

	if (!choice->variants)
		return RL_NONE;
	for (size_t i = 0; i < choice->count; i++)
		if (usable(choice, (int)i) && is_when(choice->variants[i].when) && choice->variants[i].rank > choice->variants[best].rank)
			best = (int)i;
	return best == choice->initial ? RL_NONE : best;
}

int rl_resolve(const struct rl_core *core, const struct rl_choice *choice, const int *asked, int *by)
{
	int state;

	*by = RELINK_BY_BAKED;
	if (rl_is_baked(choice))
		return choice->initial;
	for (*by = RELINK_BY_FORCE; *by >= RELINK_BY_FUNCTION; (*by)--)
		if (usable(choice, asked[*by]))
			return asked[*by];
	*by = RELINK_BY_FUNCTION;
	state = driven(core, choice);
	if (state == RL_NONE)
		state = best_variant(choice);
	if (state != RL_NONE)
		return state;
	*by = RELINK_BY_DEFAULT;
	return choice->initial;
}

int rl_ask(struct rl_core *core, struct rl_choice *choice, int level, int state, void (*custom)(void), struct relink_error *err)
{
	if (rl_is_baked(choice) && state != RL_NONE && state != choice->initial)
		return rl_fail_baked(err, choice);
	if (rl_is_baked(choice)) {
		choice->next_asked[level] = state;
		return RELINK_OK;
	}
	if ((choice->flags & RELINK_SEQUENCE_FLAG) && !core->can_write && state != RL_NONE &&
	    (state == RL_CUSTOM || !usable(choice, state)))
		return rl_fail(err, RELINK_E_WRITE, choice, core->why);
	if (level == RELINK_BY_FORCE && state != RL_NONE && (choice->flags & RELINK_NONFORCIBLE))
		return rl_fail(err, RELINK_E_NONFORCIBLE, choice, "its owner declared it nonforcible; ask the program to change it");
	if (state != RL_NONE && !usable(choice, state) && core->locks && choice == core->locks->owner)
		return rl_fail(err, RELINK_E_THREADS, choice, core->locks_why);
	if (state != RL_NONE && !usable(choice, state))
		return rl_fail(err, RELINK_E_CONDITION, choice, "the condition of this state does not hold on this machine");
	choice->next_asked[level] = state;
	if (state == RL_CUSTOM)
		choice->next_custom = custom;
	return RELINK_OK;
}

struct rl_want rl_want_of(const struct rl_choice *call, int state, void (*custom)(void))
{
	struct rl_want want = { RL_FUNCTION, false, 0, 0 };

	if (state == RL_CUSTOM) {
		want.address = (uintptr_t)custom;
		return want;
	}
	want.what = (enum rl_what)call->variants[state].what;
	want.narrow = call->variants[state].narrow;
	want.address = (uintptr_t)call->variants[state].fn;
	want.constant = call->variants[state].constant;
	return want;
}
