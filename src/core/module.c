/* SPDX-License-Identifier: MIT */
/* module.c - modules bring choices, variants and sites, and take them away. */
#include "core/core.h"

#define PAGE 4096u

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

static struct rl_choice *new_choice(struct rl_core *core, struct rl_module *module, int kind, const char *name, const char *doc)
{
	struct rl_choice *c = core->hooks->alloc(sizeof(*c)), **last = &core->choices;

	if (!c)
		return 0;
	c->module = module;
	c->kind = kind;
	c->name = name;
	c->doc = doc ? doc : "";
	for (int level = 0; level < RELINK_LEVELS; level++)
		c->asked[level] = RL_NONE;
	if (core->last_choice && core->choices)
		last = &core->last_choice->next;
	*last = c;
	core->last_choice = c;
	return c;
}

static void free_choice(struct rl_core *core, struct rl_choice *c);

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
	unlink_choice(core, old);
	free_choice(core, old);
}

static bool add_keys(struct rl_core *core, struct rl_choice *c, struct relink_key *keys, size_t count, bool first_on)
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
		k->born = k->state = k->next = first_on && i == 0;
		if (keys[i].choice)
			take_over(core, c, k, keys[i].choice);
		keys[i].choice = k;
	}
	return true;
}

static struct rl_choice *add_key(struct rl_core *core, struct rl_module *module, struct relink_key *key, const char *name,
				 const char *doc, uint32_t flags)
{
	struct rl_choice *c = new_choice(core, module, RELINK_KEY, name, doc);
	bool on = (flags & RELINK_DEFAULT_TRUE) != 0;

	if (!c)
		return 0;
	c->state = on;
	if (!add_keys(core, c, key, 1, on))
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
	struct rl_choice *c;

	rl_text_add(&t, record->name);
	rl_text_add(&t, "[");
	rl_text_add_dec(&t, i);
	rl_text_add(&t, "]");
	c = add_key(core, module, key, "", record->doc, record->head.flags);
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
	struct rl_choice *c = new_choice(core, module, RELINK_OPT, record->name, record->doc);

	/* The keys follow the option: see RELINK_OPTION_TYPE_. */
	if (!c || record->count > sizeof(always) || !add_keys(core, c, (struct relink_key *)(option + 1), record->count, true))
		return false;
	c->flags = record->head.flags;
	c->states = (const char **)(uintptr_t)record->states;
	c->usable = always;
	c->count = record->count;
	c->option = option;
	option->choice = c;
	return true;
}

static bool grow_states(struct rl_core *core, struct rl_choice *c)
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
	if (c->count == c->capacity && !grow_states(core, c))
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
	struct rl_choice *c = new_choice(core, module, RELINK_CALL, record->name, record->doc);
	struct rl_variant nothing = { .fn = relink_call_nothing, .what = RL_NOTHING, .rank = -1 };

	if (!c)
		return false;
	c->flags = record->head.flags;
	c->call = call;
	call->choice = c;
	__atomic_fetch_add(&core->call_count, 1, __ATOMIC_RELAXED);
	if (c->flags & RELINK_DEFAULT_NULL)
		nothing.rank = 0;
	/* The default target's record follows; NULL is a state of its own where it is allowed. */
	return !(c->flags & RELINK_NULLABLE) || add_variant(core, c, module, "null", &nothing, true);
}

static bool is_default(const struct rl_choice *c, const struct relink_variant_record *record)
{
	return !(c->flags & RELINK_DEFAULT_NULL) && !c->has_default && *c->call->slot == record->fn;
}

static bool add_variant_record(struct rl_core *core, struct rl_module *module, const struct relink_variant_record *record, bool holds)
{
	struct rl_choice *c = record->call->choice;
	struct rl_variant model = { .fn = record->fn, .constant = record->constant, .rank = record->rank, .what = RL_FUNCTION };
	bool first;

	if (!c) /* the call's module is not here: nobody can bind it either */
		return true;
	if (record->head.flags & RELINK_VARIANT_IS_CONST)
		model.what = RL_CONSTANT;
	model.narrow = (record->head.flags & RELINK_VARIANT_NARROW) != 0;
	first = is_default(c, record);
	if (!add_variant(core, c, module, record->name, &model, holds || first))
		return false;
	if (first) {
		c->initial = c->state = (int)c->count - 1;
		c->has_default = true;
	}
	return true;
}

static bool add_choices(struct rl_core *core, struct rl_module *module)
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
	}
	return ok;
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

static bool add_rules(struct rl_core *core, struct rl_module *module, rl_condition *condition)
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

/* ---- sites ---- */

static struct rl_group *new_group(struct rl_core *core, struct rl_module *module)
{
	struct rl_group *g = core->hooks->alloc(sizeof(*g));

	if (!g)
		return 0;
	g->module = module;
	g->next_in_module = module->groups;
	module->groups = g;
	return g;
}

static struct rl_key *anonymous_key(struct rl_core *core, struct rl_module *module, struct relink_key *key, bool on)
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

struct rl_key *rl_key_of(struct rl_core *core, struct relink_key *key)
{
	if (!key->choice)
		return anonymous_key(core, 0, key, key->state != 0);
	return key->choice;
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
		k = anonymous_key(core, module, key, on);
	if (!k)
		return false;
	if (!k->groups || k->groups->module != module) {
		struct rl_group *g = new_group(core, module);

		if (!g)
			return false;
		g->key = k;
		g->next = k->groups;
		k->groups = g;
	}
	k->groups->count++;
	/* Code that was compiled for the other default can't be told from code that somebody rewrote. */
	if (on != k->born)
		k->groups->stale = true;
	return true;
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

static void sift_down(const struct rl_group *g, size_t root, size_t count)
{
	uint32_t moving = g->order[root];
	const struct relink_branch_record *b = g->module->branches;
	size_t child;

	while ((child = 2 * root + 1) < count) {
		if (child + 1 < count && rl_branch_site(&b[g->order[child]]) < rl_branch_site(&b[g->order[child + 1]]))
			child++;
		if (rl_branch_site(&b[moving]) >= rl_branch_site(&b[g->order[child]]))
			break;
		g->order[root] = g->order[child];
		root = child;
	}
	g->order[root] = moving;
}

/* Records come in the order of the code as a rule; writing wants ascending addresses always. */
static void sort_group(const struct rl_group *g)
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

static bool add_branches(struct rl_core *core, struct rl_module *module)
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
		sort_group(g);
	return true;
}

static struct rl_group *add_call_group(struct rl_core *core, struct rl_module *module, struct rl_choice *call, uintptr_t home,
				       size_t count)
{
	struct rl_group *g = new_group(core, module);

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
	g->sites[0] = (struct rl_site){ (uint32_t)(entry + opcode - module->text_start), RL_TRAMPOLINE, RELINK_INDIRECT, 0 };
	return true;
}

static bool add_trampolines(struct rl_core *core, struct rl_module *module)
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

int rl_module_add_calls(struct rl_core *core, struct rl_module *module, struct rl_raw_site *sites, size_t count)
{
	if (!count)
		return RELINK_OK;
	if (!sort_raw(core, sites, count))
		return RELINK_E_MEMORY;
	for (size_t i = 0, n; i < count; i += n) {
		struct rl_group *g;

		for (n = 1; i + n < count && same_group(&sites[i], &sites[i + n]); n++)
			;
		g = add_call_group(core, module, sites[i].call, sites[i].home, n);
		if (!g)
			return RELINK_E_MEMORY;
		core->needs_one_store |= !(g->call->flags & RELINK_FINAL);
		for (size_t k = 0; k < n; k++)
			g->sites[k] = (struct rl_site){ (uint32_t)(sites[i + k].address - module->text_start), sites[i + k].kind,
							RELINK_INDIRECT, 0 };
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

/* ---- coming and going ---- */

static struct rl_module *new_module(struct rl_core *core, struct relink_module_header *header, const struct rl_image_info *image)
{
	struct rl_module *m = core->hooks->alloc(sizeof(*m));

	if (!m)
		return 0;
	m->header = header;
	m->branches = header->branch_start;
	m->branch_count = (size_t)(header->branch_stop - header->branch_start);
	m->text_start = image->text_start;
	m->text_stop = image->text_stop;
	m->pages = (m->text_stop + PAGE - 1) / PAGE - m->text_start / PAGE;
	m->private_pages = core->hooks->alloc(m->pages / 8 + 1);
	m->path = rl_copy_string(core, image->path);
	if (!m->private_pages || !m->path)
		return 0;
	m->name = m->path;
	for (const char *p = m->path; *p; p++)
		if (*p == '/')
			m->name = p + 1;
	return m;
}

struct rl_module *rl_module_add(struct rl_core *core, struct relink_module_header *header, const struct rl_image_info *image,
				rl_condition *condition, struct relink_error *err)
{
	struct rl_module *m;

	if (header->abi != RELINK_ABI || header->size < sizeof(*header)) {
		rl_fail(err, RELINK_E_RUNTIME, 0, "the module was built for another version of relink; rebuild it");
		return 0;
	}
	m = new_module(core, header, image);
	if (!m) {
		rl_fail(err, RELINK_E_MEMORY, 0, "out of memory while taking in a module");
		return 0;
	}
	m->next = core->modules;
	core->modules = m;
	core->module_count++;
	if (!add_choices(core, m) || !add_rules(core, m, condition) || !add_branches(core, m) || !add_trampolines(core, m))
		rl_fail(err, RELINK_E_MEMORY, 0, "out of memory while taking in a module");
	header->runtime = m;
	return m;
}

static void unlink_group(struct rl_group **list, struct rl_group *group)
{
	while (*list && *list != group)
		list = &(*list)->next;
	if (*list)
		*list = group->next;
}

static void remove_groups(struct rl_core *core, struct rl_module *module)
{
	struct rl_group *g, *next;

	for (g = module->groups; g; g = next) {
		next = g->next_in_module;
		if (g->key || g->call) /* else its choice left first */
			unlink_group(g->key ? &g->key->groups : &g->call->groups, g);
		if (g->sites) {
			core->memory -= g->count * sizeof(*g->sites);
			core->hooks->free(g->sites);
		} else {
			core->memory -= g->count * sizeof(*g->order);
		}
		core->hooks->free(g);
	}
	if (module->order)
		core->hooks->free(module->order);
}

static void remove_drives(struct rl_core *core, struct rl_module *module)
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
		__atomic_fetch_sub(&core->call_count, 1, __ATOMIC_RELAXED);
	}
	if (c->option)
		c->option->choice = 0;
	orphan_groups(c);
	for (size_t i = 0; c->variants && i < c->count; i++)
		core->hooks->free((void *)(uintptr_t)c->variants[i].name);
	if (c->capacity) {
		core->hooks->free((void *)c->states);
		core->hooks->free(c->usable);
		core->hooks->free(c->variants);
	}
	if (c->keys)
		core->hooks->free(c->keys);
	if (c->own_name)
		core->hooks->free(c->own_name);
	core->hooks->free(c);
}

static bool has_sites(const struct rl_choice *c)
{
	for (size_t k = 0; k < c->key_count; k++)
		if (c->keys[k].groups)
			return true;
	return false;
}

static void remove_choices(struct rl_core *core, struct rl_module *module)
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

static void withdraw_variants(struct rl_core *core, struct rl_module *module)
{
	for (struct rl_choice *c = core->choices; c; c = c->next) {
		uintptr_t custom = (uintptr_t)c->custom;

		if (c->module == module)
			continue;
		for (size_t i = 0; c->variants && i < c->count; i++)
			if (c->variants[i].module == module) {
				c->variants[i].module = 0;
				c->usable[i] = 0;
			}
		if (c->asked[RELINK_BY_PROGRAM] == RL_CUSTOM && custom >= module->text_start && custom < module->text_stop)
			c->asked[RELINK_BY_PROGRAM] = RL_NONE;
	}
}

static void unlink_module(struct rl_core *core, struct rl_module *module)
{
	struct rl_module **at = &core->modules;

	while (*at && *at != module)
		at = &(*at)->next;
	if (*at)
		*at = module->next;
	core->module_count--;
}

void rl_module_remove(struct rl_core *core, struct rl_module *module)
{
	struct relink_error err;

	withdraw_variants(core, module);
	/* Calls bound to functions of this module go to the best of those that remain. */
	if (rl_settle(core, 0, false, false, &err) < 0 && rl_settle_least(core, 0, false, &err) < 0 && !core->degraded) {
		struct rl_text t = rl_text_into(core->degraded_text, sizeof(core->degraded_text));

		core->degraded = true;
		rl_text_add(&t, "a module left and calls to it could not be rebound: ");
		rl_text_add(&t, err.text);
	}
	remove_drives(core, module);
	remove_groups(core, module);
	remove_choices(core, module);
	unlink_module(core, module);
	core->pending_count -= module->pending;
	module->header->runtime = 0;
	core->hooks->free(module->private_pages);
	core->hooks->free((void *)(uintptr_t)module->path);
	core->hooks->free(module);
}
