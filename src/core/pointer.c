/* SPDX-License-Identifier: MIT */
/*
 * pointer.c - accelerated pointers: variables of the program that are choices.
 *
 * A pointer is a static call whose slot is the program's own variable and whose call sites load it as long as they are not
 * bound. Until the program's first commit the variable is the program's: it may assign it. Then the module is sealed: its pages
 * become read-only, and only after that are they read, so that what is read can't change any more behind our back.
 */
#include "core/core.h"

#define PAGE 4096u
#define WORD sizeof(uintptr_t)

/* ---- words and choices ---- */

struct rl_module *rl_pointer_module(const struct rl_core *core, uintptr_t address)
{
	struct rl_module *m = core->modules;

	while (m && (address < m->pointers_start || address + WORD > m->pointers_stop || !m->pointers))
		m = m->next;
	return address % WORD ? 0 : m;
}

static uintptr_t read_word(uintptr_t address)
{
	return __atomic_load_n((const uintptr_t *)address, __ATOMIC_ACQUIRE);
}

/* One state of its own, the first: what it held when it was sealed. */
static bool add_start(struct rl_core *core, struct rl_choice *c)
{
	if (!rl_grow_states(core, c))
		return false;
	c->variants[0] = (struct rl_variant){ .module = c->module, .what = RL_FUNCTION, .name = rl_copy_string(core, "start") };
	if (!c->variants[0].name)
		return false;
	c->states[0] = c->variants[0].name;
	c->usable[0] = 1;
	c->count = 1;
	return true;
}

static void take_start(struct rl_core *core, struct rl_choice *c)
{
	c->variants[0].fn = (void (*)(void))read_word((uintptr_t)c->call->slot);
	/* Code that is bound for good needs its module for good. */
	if ((c->flags & RELINK_FINAL) && c->variants[0].fn)
		c->new_target = core->final_moved = true;
}

static struct rl_choice *new_pointer(struct rl_core *core, struct rl_module *module, uintptr_t address)
{
	struct rl_choice *c = rl_new_choice(core, module, RELINK_PTR, "", "");

	if (!c || !add_start(core, c))
		return 0;
	c->pointer.slot = (void (**)(void))address;
	c->pointer.choice = c;
	c->call = &c->pointer;
	if (module->pointers_sealed)
		take_start(core, c);
	return c;
}

struct rl_choice *rl_pointer_choice(struct rl_core *core, uintptr_t address)
{
	struct rl_module *m = rl_pointer_module(core, address);
	struct rl_choice **c = m ? &m->pointers[(address - m->pointers_start) / WORD] : 0;

	if (c && !*c)
		*c = new_pointer(core, m, address);
	return c ? *c : 0;
}

/* ---- names ---- */

static void add_place(struct rl_text *t, size_t offset, size_t length, bool is_array)
{
	if (length <= WORD)
		return;
	rl_text_add(t, is_array ? "[" : "+");
	rl_text_add_dec(t, is_array ? offset / WORD : offset);
	rl_text_add(t, is_array ? "]" : "");
}

bool rl_name_pointer(struct rl_core *core, struct rl_choice *pointer, const char *name, size_t name_length, size_t offset, size_t length,
		     bool is_array)
{
	char full[160];
	struct rl_text t = rl_text_into(full, sizeof(full));

	if (pointer->own_name)
		return true;
	rl_text_add_n(&t, name, name_length);
	add_place(&t, offset, length, is_array);
	pointer->own_name = rl_copy_string(core, full);
	if (pointer->own_name)
		pointer->name = pointer->own_name;
	return pointer->own_name != 0;
}

bool rl_name_anonymous(struct rl_core *core, struct rl_choice *pointer)
{
	char name[40];
	struct rl_text t = rl_text_into(name, sizeof(name));

	rl_text_add(&t, "pointer@");
	rl_text_add_hex(&t, (uintptr_t)pointer->call->slot);
	return rl_name_pointer(core, pointer, name, rl_length(name), 0, 0, false);
}

void rl_name_start(struct rl_core *core, struct rl_choice *pointer, const char *name)
{
	char *copy = rl_copy_string(core, name);

	if (!copy)
		return;
	core->hooks->free((void *)(uintptr_t)pointer->variants[0].name);
	pointer->variants[0].name = pointer->states[0] = copy;
}

/* ---- modules ---- */

/* What lies elsewhere was copied into the executable, and is not protected: nothing there may be bound. */
static bool add_record(struct rl_core *core, const struct relink_pointer_record *record)
{
	uintptr_t object = (uintptr_t)record->object;
	bool is_array = !(record->head.flags & RELINK_POINTER_STRUCT);

	for (size_t at = 0; at + WORD <= record->length; at += WORD) {
		struct rl_choice *c;

		if (!rl_pointer_module(core, object + at))
			return true;
		c = rl_pointer_choice(core, object + at);
		if (!c || !rl_name_pointer(core, c, record->name, rl_length(record->name), at, record->length, is_array))
			return false;
		c->doc = record->doc;
		c->flags = record->head.flags & (RELINK_FINAL | RELINK_NONFORCIBLE);
	}
	return true;
}

bool rl_add_pointers(struct rl_core *core, struct rl_module *module)
{
	const struct relink_module_header *header = module->header;
	const void *at = header->records_start;
	const struct relink_record *record;
	bool ok = true;

	if (header->size < offsetof(struct relink_module_header, index) || header->pointers_start >= header->pointers_stop)
		return true;
	module->pointers_start = (uintptr_t)header->pointers_start;
	module->pointers_stop = (uintptr_t)header->pointers_stop;
	module->pointers = core->hooks->alloc((module->pointers_stop - module->pointers_start) / WORD * sizeof(*module->pointers));
	if (!module->pointers)
		return false;
	__atomic_fetch_add(&core->pointer_modules, 1, __ATOMIC_RELAXED);
	while (ok && (record = rl_next_record(&at, header->records_stop)))
		if (record->kind == RELINK_RECORD_POINTER)
			ok = add_record(core, (const void *)record);
	return ok;
}

void rl_remove_pointers(struct rl_core *core, struct rl_module *module)
{
	if (!module->pointers)
		return;
	__atomic_fetch_sub(&core->pointer_modules, 1, __ATOMIC_RELAXED);
	core->hooks->free(module->pointers);
	module->pointers = 0;
}

/* ---- pages ---- */

/* Pages that are nobody else's: all of them, unless the program was linked in parts that the macro did not see. */
static int protect(const struct rl_core *core, const struct rl_module *m, bool writable)
{
	uintptr_t start = (m->pointers_start + PAGE - 1) & ~(uintptr_t)(PAGE - 1), stop = m->pointers_stop & ~(uintptr_t)(PAGE - 1);

	return core->hooks->protect && start < stop ? core->hooks->protect(start, stop, writable) : 0;
}

static const char no_protection[] = "the kernel refuses to change the protection of the page of an accelerated pointer (a seccomp filter?)";

static void seal(struct rl_core *core, struct rl_module *m)
{
	for (size_t i = 0; i < (m->pointers_stop - m->pointers_start) / WORD; i++)
		if (m->pointers[i])
			take_start(core, m->pointers[i]);
	m->pointers_sealed = true;
}

bool rl_seal_pointers(struct rl_core *core, struct relink_error *err, int *r)
{
	bool any = false;

	*r = 0;
	for (struct rl_module *m = core->modules; m; m = m->next) {
		if (!m->pointers || m->pointers_sealed)
			continue;
		if (protect(core, m, false) < 0) {
			*r = rl_fail_site(err, RELINK_E_WRITE, 0, m, 0, no_protection);
			continue;
		}
		seal(core, m);
		any = true;
	}
	return any;
}

static int open_module(struct rl_plan *plan, struct rl_module *m)
{
	if (m->pointers_open)
		return 0;
	if (!m->pointers_sealed || protect(plan->core, m, true) < 0)
		return rl_fail_site(plan->err, RELINK_E_WRITE, 0, m, 0, no_protection);
	m->pointers_open = true;
	return 0;
}

int rl_open_pointers(struct rl_plan *plan)
{
	int r = 0;

	for (size_t i = 0; i < plan->choice_count && !r; i++)
		if (rl_is_pointer(plan->choices[i]) && rl_call_moves(plan->choices[i]))
			r = open_module(plan, plan->choices[i]->module);
	if (r)
		rl_close_pointers(plan);
	return r;
}

/* A page that stays writable is closed with the next commit that comes by. */
void rl_close_pointers(struct rl_plan *plan)
{
	for (struct rl_module *m = plan->core->modules; m; m = m->next)
		if (m->pointers_open && protect(plan->core, m, false) >= 0)
			m->pointers_open = false;
}
