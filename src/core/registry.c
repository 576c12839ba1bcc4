/* SPDX-License-Identifier: MIT */
/* registry.c - from a module's records to choices, variants and drives, and back. */
#include "core/core.h"

/* ---- records ---- */

const struct relink_record *rl_next_record(const void **at, const void *stop)
{
	const char *p = *at, *end = stop;

	while (end - p >= (ptrdiff_t)sizeof(struct relink_record)) {
		const struct relink_record *record = (const struct relink_record *)(const void *)p;

		if (!record->size) { /* padding between records */
			p += 8;
			continue;
		}
		if (record->size > end - p || record->size % 8)
			break;
		*at = p + record->size;
		return record;
	}
	*at = end;
	return 0;
}

/* ---- choices ---- */

static const char *const key_states[] = { "off", "on" };
static unsigned char always[16] = { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 };

struct rl_choice *rl_new_choice(struct rl_core *core, struct rl_module *module, int kind, const char *name, const char *doc)
{
	struct rl_choice *c = core->hooks->alloc(sizeof(*c)), **last = &core->choices;

	if (!c)
		return 0;
	c->module = module;
	c->kind = kind;
	c->name = name;
	c->doc = doc ? doc : "";
	c->changed = rl_count_change(core);
	for (int level = 0; level < RELINK_LEVELS; level++)
		c->asked[level] = RL_NONE;
	if (core->last_choice && core->choices)
		last = &core->last_choice->next;
	*last = c;
	core->last_choice = c;
	return c;
}

/* Groups of other modules that used a key which now leaves: their code stays as it is. */
static void orphan_groups(struct rl_choice *c)
{
	for (size_t k = 0; k < c->key_count; k++) {
		for (struct rl_group *g = c->keys[k].groups; g; g = g->next)
			g->count = 0, g->key = 0;
		c->keys[k].groups = 0;
	}
	for (struct rl_group *g = c->groups; g; g = g->next)
		g->count = 0, g->call = 0;
}

static void free_choice(struct rl_core *core, struct rl_choice *c)
{
	for (size_t k = 0; k < c->key_count; k++)
		c->keys[k].key->choice = 0;
	if (c->call) {
		c->call->choice = 0;
		if (!rl_is_pointer(c))
			__atomic_fetch_sub(&core->call_count, 1, __ATOMIC_RELAXED);
	}
	if (c->option)
		c->option->choice = 0;
	if (c->immediate)
		c->immediate->choice = 0;
	core->when_count -= c->has_when;
	orphan_groups(c);
	for (size_t i = 0; c->variants && i < c->count; i++)
		if (c->variants[i].name)
			core->hooks->free((void *)(uintptr_t)c->variants[i].name);
	if (c->capacity) {
		core->hooks->free((void *)c->states);
		core->hooks->free(c->usable);
		core->hooks->free(c->variants);
	}
	rl_free_ops(core, c);
	if (c->keys)
		core->hooks->free(c->keys);
	if (c->own_name)
		core->hooks->free(c->own_name);
	core->hooks->free(c);
}

static void unlink_choice(struct rl_core *core, const struct rl_choice *c)
{
	struct rl_choice **at = &core->choices, *before = 0;

	for (; *at && *at != c; at = &before->next)
		before = *at;
	*at = c->next;
	if (core->last_choice == c)
		core->last_choice = before;
}

/* A module that only uses the key came before the one that names it: sites and opinions go to the choice with the name. */
static void take_over(struct rl_core *core, struct rl_choice *c, struct rl_key *k, struct rl_key *from)
{
	struct rl_choice *old = from->owner;

	k->state = k->next = from->state;
	k->groups = from->groups;
	from->groups = 0;
	for (struct rl_group *g = k->groups; g; g = g->next)
		g->key = k;
	if (c->kind == RELINK_KEY) {
		c->state = old->state;
		c->decided_by = old->decided_by;
		c->uses = old->uses;
		for (int level = 0; level < RELINK_LEVELS; level++)
			c->asked[level] = old->asked[level];
	}
	c->patched |= old->patched;
	unlink_choice(core, old);
	free_choice(core, old);
}

/* `on`: the index of the one that is on, or RL_NONE. */
static bool add_keys(struct rl_core *core, struct rl_choice *c, struct relink_key *keys, size_t count, int on)
{
	c->keys = core->hooks->alloc(count * sizeof(*c->keys));
	if (!c->keys)
		return false;
	c->key_count = count;
	for (size_t i = 0; i < count; i++) {
		struct rl_key *k = &c->keys[i];

		k->key = &keys[i];
		k->owner = c;
		k->value = c->kind == RELINK_KEY ? 1 : (int)i;
		k->born = k->state = k->next = (int)i == on;
		if (keys[i].choice)
			take_over(core, c, k, keys[i].choice);
		keys[i].choice = k;
	}
	return true;
}

static struct rl_choice *add_key(struct rl_core *core, struct rl_module *module, struct relink_key *key, const char *name,
				 const char *doc, uint32_t flags)
{
	struct rl_choice *c = rl_new_choice(core, module, RELINK_KEY, name, doc);
	bool on = (flags & RELINK_DEFAULT_TRUE) != 0;

	if (!c)
		return 0;
	c->state = on;
	if (!add_keys(core, c, key, 1, on ? 0 : RL_NONE))
		return 0;
	c->flags = flags;
	c->states = (const char **)(uintptr_t)key_states;
	c->usable = always;
	c->count = 2;
	c->initial = on;
	return c;
}

static struct rl_choice *add_named_element(struct rl_core *core, struct rl_module *module, struct relink_key *key,
					   const struct relink_choice_record *record, size_t i)
{
	char name[96];
	struct rl_text t = rl_text_into(name, sizeof(name));
	uint32_t flags = record->head.flags & ~RELINK_BAKED;
	struct rl_choice *c;

	if ((record->head.flags & RELINK_BAKED) && key->count == RELINK_KEY_BAKED) {
		flags = (flags & ~RELINK_DEFAULT_TRUE) | RELINK_BAKED | (key->state ? RELINK_DEFAULT_TRUE : 0);
		key->count = 0;
	}

	rl_text_add(&t, record->name);
	rl_text_add(&t, "[");
	rl_text_add_dec(&t, i);
	rl_text_add(&t, "]");
	c = add_key(core, module, key, "", record->doc, flags);
	if (c)
		c->name = c->own_name = rl_copy_string(core, name);
	return c && c->name ? c : 0;
}

/* A record in a header is there once per file; the first one names the key. */
static bool has_name(const struct relink_key *key)
{
	const struct rl_key *k = key->choice;

	return k && !k->owner->anonymous;
}

static bool add_key_record(struct rl_core *core, struct rl_module *module, const struct relink_choice_record *record)
{
	struct relink_key *keys = record->object;
	bool ok = true;

	if (has_name(keys))
		return true;
	if (!record->count)
		return add_key(core, module, keys, record->name, record->doc, record->head.flags) != 0;
	for (size_t i = 0; i < record->count && ok; i++)
		ok = add_named_element(core, module, &keys[i], record, i) != 0;
	return ok;
}

static bool add_option_record(struct rl_core *core, struct rl_module *module, const struct relink_choice_record *record)
{
	struct relink_option *option = record->object;
	struct rl_choice *c = rl_new_choice(core, module, RELINK_OPT, record->name, record->doc);
	int initial = record->head.flags & RELINK_BAKED ? option->state : 0;

	if (initial < 0 || (uint64_t)initial >= record->count)
		initial = 0;
	/* The keys follow the option: see RELINK_OPTION_TYPE_. */
	if (!c || record->count > sizeof(always) || !add_keys(core, c, (struct relink_key *)(option + 1), record->count, initial))
		return false;
	c->initial = c->state = initial;
	c->flags = record->head.flags;
	c->states = (const char **)(uintptr_t)record->states;
	c->usable = always;
	c->count = record->count;
	c->option = option;
	option->choice = c;
	return true;
}

bool rl_grow_states(struct rl_core *core, struct rl_choice *c)
{
	size_t capacity = c->capacity ? 2 * c->capacity : 8;
	const char **states = core->hooks->alloc(capacity * sizeof(*states));
	unsigned char *usable = core->hooks->alloc(capacity);
	struct rl_variant *variants = core->hooks->alloc(capacity * sizeof(*variants));

	if (!states || !usable || !variants)
		return false;
	for (size_t i = 0; i < c->count; i++) {
		states[i] = c->states[i];
		usable[i] = c->usable[i];
		variants[i] = c->variants[i];
	}
	if (c->capacity) {
		core->hooks->free((void *)c->states);
		core->hooks->free(c->usable);
		core->hooks->free(c->variants);
	}
	c->states = states;
	c->usable = usable;
	c->variants = variants;
	c->capacity = capacity;
	return true;
}

/* A variant that left and came back has its old place, since states are known by index. */
static struct rl_variant *place_of(struct rl_core *core, struct rl_choice *c, const char *name)
{
	for (size_t i = 0; i < c->count; i++)
		if (!c->variants[i].module && rl_same(c->states[i], name))
			return &c->variants[i];
	if (c->count == c->capacity && !rl_grow_states(core, c))
		return 0;
	c->variants[c->count].name = rl_copy_string(core, name);
	c->states[c->count] = c->variants[c->count].name;
	return c->states[c->count] ? &c->variants[c->count++] : 0;
}

static bool add_variant(struct rl_core *core, struct rl_choice *c, struct rl_module *module, const char *name,
			const struct rl_variant *model, bool holds)
{
	struct rl_variant *v = place_of(core, c, name);

	if (!v)
		return false;
	name = v->name;
	*v = *model;
	v->name = name;
	v->module = module;
	c->usable[v - c->variants] = holds;
	return true;
}

static bool add_call_record(struct rl_core *core, struct rl_module *module, const struct relink_choice_record *record)
{
	struct relink_call *call = record->object;
	struct rl_choice *c = rl_new_choice(core, module, RELINK_CALL, record->name, record->doc);
	struct rl_variant nothing = { .fn = relink_do_nothing, .what = RL_NOTHING, .rank = -1 };

	if (!c)
		return false;
	c->flags = record->head.flags;
	c->call = call;
	call->choice = c;
	__atomic_fetch_add(&core->call_count, 1, __ATOMIC_RELAXED);
	if (c->flags & RELINK_OWNED)
		return rl_init_member(core, c);
	if (c->flags & RELINK_DEFAULT_NULL)
		nothing.rank = 0;
	/* The default target's record follows; NULL is a state of its own where it is allowed. */
	return !(c->flags & RELINK_NULLABLE) ||
	       add_variant(core, c, module, c->flags & RELINK_SEQUENCE_FLAG ? "native" : "null", &nothing, true);
}

/* Identical-code folding may have made the default and a variant for certain states one function. */
static bool is_default(const struct rl_choice *c, const struct relink_variant_record *record, const struct relink_when *when)
{
	if (rl_is_baked(c))
		return !c->has_default && (record->head.flags & RELINK_VARIANT_IS_BAKED);
	return !(c->flags & RELINK_DEFAULT_NULL) && !c->has_default && *c->call->slot == record->fn && !when;
}

static bool add_waiting(struct rl_core *core, struct rl_module *module, const struct relink_variant_record *record, bool holds)
{
	struct rl_waiting *w = core->hooks->alloc(sizeof(*w));

	if (!w)
		return false;
	*w = (struct rl_waiting){ core->waiting, module, record, holds };
	core->waiting = w;
	return true;
}

static bool add_variant_record(struct rl_core *core, struct rl_module *module, const struct relink_variant_record *record, bool holds)
{
	struct rl_choice *c = record->call->choice;
	struct rl_variant model = { .fn = record->fn, .constant = record->constant, .rank = record->rank, .what = RL_FUNCTION };
	bool first;

	if (!c)
		return add_waiting(core, module, record, holds);
	if (c->flags & RELINK_OWNED) /* members have no variants, their table has */
		return true;
	if (record->head.flags & RELINK_VARIANT_IS_CONST)
		model.what = RL_CONSTANT;
	if (record->head.flags & RELINK_VARIANT_IS_TEMPLATE) {
		model.table = (const uint8_t *)(uintptr_t)record->fn;
		model.fn = relink_do_nothing;
	}
	/* The field is younger than the record. */
	if (record->head.size > offsetof(struct relink_variant_record, when))
		model.when = record->when;
	if (model.when && !c->has_when) {
		c->has_when = true;
		core->when_count++;
	}
	model.narrow = (record->head.flags & RELINK_VARIANT_NARROW) != 0;
	first = is_default(c, record, model.when);
	if (c->flags & RELINK_SEQUENCE_FLAG) /* is code and nothing else */
		holds = holds && core->can_write;
	if (!add_variant(core, c, module, record->name, &model, holds || (first && !rl_is_baked(c))))
		return false;
	if (first) {
		c->initial = c->state = (int)c->count - 1;
		c->has_default = true;
	}
	return true;
}

/* Takes those of `module` out of the list, or those that wait for nothing any more; the oldest first. */
static struct rl_waiting *take_waiting(struct rl_core *core, const struct rl_module *module)
{
	struct rl_waiting **at = &core->waiting, *taken = 0;

	while (*at) {
		struct rl_waiting *w = *at;

		if (module ? w->module != module : !w->record->call->choice) {
			at = &w->next;
			continue;
		}
		*at = w->next;
		w->next = taken;
		taken = w;
	}
	return taken;
}

static bool each_waiting(struct rl_core *core, struct rl_waiting *list, bool admit)
{
	bool ok = true;

	for (struct rl_waiting *w = list, *next; w; w = next) {
		next = w->next;
		if (admit)
			ok = add_variant_record(core, w->module, w->record, w->holds) && ok;
		core->hooks->free(w);
	}
	return ok;
}

bool rl_admit_waiting(struct rl_core *core)
{
	return each_waiting(core, take_waiting(core, 0), true);
}

bool rl_add_choices(struct rl_core *core, struct rl_module *module)
{
	const void *at = module->header->records_start, *stop = module->header->records_stop;
	const struct relink_record *record;
	bool ok = true;

	while (ok && (record = rl_next_record(&at, stop))) {
		const struct relink_choice_record *choice = (const void *)record;

		if (record->kind == RELINK_RECORD_KEY)
			ok = add_key_record(core, module, choice);
		else if (record->kind == RELINK_RECORD_OPTION)
			ok = add_option_record(core, module, choice);
		else if (record->kind == RELINK_RECORD_CALL)
			ok = add_call_record(core, module, choice);
		else if (record->kind == RELINK_RECORD_IMMEDIATE)
			ok = rl_add_immediate(core, module, choice);
	}
	return ok && rl_add_tables(core, module);
}

static struct rl_choice *choice_in(struct rl_core *core, struct rl_module *module, const char *name)
{
	for (struct rl_choice *c = core->choices; c; c = c->next)
		if (c->module == module && rl_same(c->name, name))
			return c;
	return 0;
}

static bool add_drive(struct rl_core *core, struct rl_module *module, const struct relink_drive_record *record)
{
	struct rl_choice *option = choice_in(core, module, record->option), *choice = choice_in(core, module, record->choice);
	struct rl_drive *d;
	int state, to;

	/* Options drive keys and calls; that they can't drive each other keeps decisions free of circles. */
	if (!option || !choice || option->kind != RELINK_OPT || choice->kind == RELINK_OPT)
		return true;
	state = rl_find_state(option, record->state, rl_length(record->state));
	to = rl_find_state(choice, record->to, rl_length(record->to));
	if (state < 0 || to < 0)
		return true;
	d = core->hooks->alloc(sizeof(*d));
	if (!d)
		return false;
	*d = (struct rl_drive){ core->drives, module, option, state, choice, to };
	core->drives = d;
	return true;
}

bool rl_add_rules(struct rl_core *core, struct rl_module *module, rl_condition *condition)
{
	const void *at = module->header->records_start, *stop = module->header->records_stop;
	const struct relink_record *record;
	bool ok = true;

	while (ok && (record = rl_next_record(&at, stop)))
		if (record->kind == RELINK_RECORD_VARIANT)
			ok = add_variant_record(core, module, (const void *)record, condition((const void *)record));
	at = module->header->records_start;
	while (ok && (record = rl_next_record(&at, stop)))
		if (record->kind == RELINK_RECORD_DRIVE)
			ok = add_drive(core, module, (const void *)record);
	return ok;
}

struct rl_key *rl_anonymous_key(struct rl_core *core, struct rl_module *module, struct relink_key *key, bool on)
{
	char name[48];
	struct rl_text t = rl_text_into(name, sizeof(name));
	struct rl_choice *c = add_key(core, module, key, "", "", on ? RELINK_DEFAULT_TRUE : 0);

	if (!c)
		return 0;
	rl_text_add(&t, "key@");
	rl_text_add_hex(&t, (uintptr_t)key);
	c->name = c->own_name = rl_copy_string(core, name);
	c->anonymous = true;
	return c->name ? c->keys : 0;
}

struct rl_key *rl_add_builtin_key(struct rl_core *core, struct relink_key *key, const char *name, const char *doc, uint32_t flags)
{
	struct rl_choice *c = add_key(core, 0, key, name, doc, flags);

	return c ? c->keys : 0;
}

struct rl_key *rl_key_of(struct rl_core *core, struct relink_key *key)
{
	if (!key->choice)
		return rl_anonymous_key(core, 0, key, key->state != 0);
	return key->choice;
}

/* ---- leaving ---- */

void rl_remove_drives(struct rl_core *core, struct rl_module *module)
{
	struct rl_drive **at = &core->drives;

	while (*at) {
		struct rl_drive *d = *at;

		if (d->module != module && d->choice->module != module && d->option->module != module) {
			at = &d->next;
			continue;
		}
		*at = d->next;
		core->hooks->free(d);
	}
}

static bool has_sites(const struct rl_choice *c)
{
	for (size_t k = 0; k < c->key_count; k++)
		if (c->keys[k].groups)
			return true;
	return false;
}

void rl_remove_choices(struct rl_core *core, struct rl_module *module)
{
	struct rl_choice **at = &core->choices;

	core->last_choice = 0;
	while (*at) {
		struct rl_choice *c = *at;

		if (c->module == module && c->anonymous && has_sites(c)) {
			/* The key's own module isn't known; somebody else uses it still. */
			c->module = c->keys[0].groups->module;
		}
		if (c->module != module) {
			core->last_choice = c;
			at = &c->next;
			continue;
		}
		*at = c->next;
		free_choice(core, c);
	}
}

void rl_withdraw_variants(struct rl_core *core, struct rl_module *module)
{
	each_waiting(core, take_waiting(core, module), false);
	for (struct rl_choice *c = core->choices; c; c = c->next) {
		if (c->module == module)
			continue;
		for (size_t i = 0; c->variants && i < c->count; i++)
			if (c->variants[i].module == module) {
				c->variants[i].module = 0;
				c->usable[i] = 0;
			}
		if (rl_is_custom_in(c, module))
			c->asked[RELINK_BY_PROGRAM] = RL_NONE;
	}
}
