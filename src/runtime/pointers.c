/* SPDX-License-Identifier: MIT */
/*
 * pointers.c - finds what a module's code does with accelerated pointers: from its index, the relocations that the linker kept, or the
 * places that its object files brought.
 *
 * Which variable an instruction is about is said by the instruction, not by the relocation's symbol, which may be a section.
 * What is no call through the pointer, but leads to one, is handed over too, with the reason why it is never rewritten.
 */
#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "elf/relocs.h"
#include "runtime/runtime.h"

#define BEFORE 6 /* bytes in front of a relocated field that the port may look at */
#define WINDOW 12

/* A variable by the file's symbol table, or a slot of the GOT that holds the address of one. */
struct place {
	uintptr_t start, stop;
	const char *name;
	size_t name_length;
	uintptr_t variable; /* of a slot */
};

struct list {
	void *items;
	size_t count, capacity;
};

struct search {
	struct rl_core *core;
	struct rl_module *module;
	const struct rl_image *image;
	struct rl_elf elf;
	uint8_t *wanted; /* by symbol index */
	struct list variables, slots; /* struct place */
	struct list sites;            /* struct rl_raw_site */
	bool from_slots; /* loads that are not of a variable are from GOT slots, which nobody has listed */
	bool opened;     /* the file */
	bool failed;
};

/* Room for one more, or NULL. */
static void *add(struct search *s, struct list *list, size_t size)
{
	void *grown = list->items;

	if (list->count == list->capacity) {
		list->capacity = list->capacity ? 2 * list->capacity : 16;
		grown = realloc(list->items, list->capacity * size);
	}
	if (!grown) {
		s->failed = true;
		return NULL;
	}
	list->items = grown;
	return (char *)grown + list->count++ * size;
}

/* ---- what the file names ---- */

/* In another module's data, which a sanitizer may have fenced off for that module's own accesses. */
__attribute__((no_sanitize("address"))) static uintptr_t value_of_slot(uintptr_t address)
{
	return *(const volatile uintptr_t *)address;
}

static int add_slot(const struct rl_elf_slot *slot, void *ctx)
{
	struct search *s = ctx;
	uintptr_t address = s->image->bias + slot->address, value = value_of_slot(address);
	struct place *p;

	if (!rl_pointer_module(s->core, value & ~(uintptr_t)7))
		return 0;
	p = add(s, &s->slots, sizeof(*p));
	if (!p)
		return -1;
	*p = (struct place){ address, address + 8, slot->name, slot->name_length, value };
	return 0;
}

static bool is_ours(const struct search *s, uintptr_t address)
{
	return address >= s->module->pointers_start && address < s->module->pointers_stop;
}

static bool mark_symbol(struct search *s, const struct rl_elf_symbol *symbol)
{
	uintptr_t address = s->image->bias + symbol->value;
	struct place *p;

	/* Local variables are found through their section, imported ones by their slot; mold keeps those without their symbol. */
	if (symbol->type == STT_SECTION || symbol->undefined)
		return true;
	if (!is_ours(s, address))
		return s->slots.count != 0 && symbol->type == STT_OBJECT;
	p = symbol->type == STT_OBJECT ? add(s, &s->variables, sizeof(*p)) : NULL;
	if (p)
		*p = (struct place){ address, address + symbol->size, symbol->name, symbol->name_length, 0 };
	return true;
}

static bool mark_symbols(struct search *s)
{
	uint32_t count = rl_elf_symbol_count(&s->elf);
	struct rl_elf_symbol symbol;

	s->wanted = calloc(count / 8u + 1u, 1);
	if (!s->wanted)
		return false;
	s->wanted[0] |= 1;
	for (uint32_t i = 1; i < count; i++)
		if (rl_elf_symbol(&s->elf, i, &symbol) && mark_symbol(s, &symbol))
			s->wanted[i / 8] |= (uint8_t)(1u << i % 8);
	return !s->failed;
}

static const struct place *place_at(const struct list *list, uintptr_t address)
{
	const struct place *p = list->items;

	for (size_t i = 0; i < list->count; i++)
		if (address >= p[i].start && address < p[i].stop)
			return &p[i];
	return NULL;
}

/* ---- what the code does ---- */

/* Of a variable without a record, nothing says whether it is an array. */
static struct rl_choice *choice_at(struct search *s, uintptr_t address)
{
	uintptr_t word = address & ~(uintptr_t)7;
	struct rl_choice *c = rl_pointer_choice(s->core, word);
	const struct place *p = c && !c->own_name ? place_at(&s->variables, word) : NULL;

	if (!c)
		return NULL;
	if (p)
		rl_name_pointer(s->core, c, p->name, p->name_length, word - p->start, p->stop - p->start, false);
	return rl_name_anonymous(s->core, c) ? c : NULL;
}

static int add_site(struct search *s, uintptr_t address, uintptr_t variable, enum rl_kind kind, enum relink_reason reason)
{
	struct rl_choice *c = choice_at(s, variable);
	struct rl_raw_site *site = c ? add(s, &s->sites, sizeof(*site)) : NULL;

	if (!site) {
		s->failed = true;
		return -1;
	}
	*site = (struct rl_raw_site){ address, variable, c, (uint8_t)kind, (uint8_t)reason };
	return 0;
}

/* The variable whose address the GOT slot that is loaded there holds, or 0. */
static uintptr_t behind_slot(const struct search *s, uintptr_t address)
{
	const struct place *slot;

	if (s->from_slots) {
		uintptr_t value = address % 8 ? 0 : value_of_slot(address);

		return rl_pointer_module(s->core, value & ~(uintptr_t)7) ? value : 0;
	}
	slot = place_at(&s->slots, address);
	return slot ? slot->variable : 0;
}

static int consider_place(uint64_t address, void *ctx)
{
	struct search *s = ctx;
	uintptr_t place = (uintptr_t)address, variable;
	struct rl_reference r;

	if (place < s->module->text_start + BEFORE || place + WINDOW - BEFORE > s->module->text_stop)
		return 0;
	s->core->port->refer((const uint8_t *)place - BEFORE, BEFORE, WINDOW, place, &r);
	if (r.use == RL_USE_OTHER)
		return 0;
	if (is_ours(s, r.target)) {
		if (r.use == RL_USE_CALL || r.use == RL_USE_TAIL)
			return add_site(s, r.address, r.target, r.use == RL_USE_CALL ? RL_POINTER_CALL : RL_POINTER_TAIL, 0);
		return add_site(s, place, r.target, RL_POINTER_USE, r.use == RL_USE_LOAD ? RELINK_BY_REGISTER : RELINK_BY_ADDRESS);
	}
	variable = r.use == RL_USE_LOAD ? behind_slot(s, r.target) : 0;
	return variable ? add_site(s, place, variable, RL_POINTER_USE, RELINK_BY_GOT) : 0;
}

static int consider(const struct rl_elf_reloc *reloc, void *ctx)
{
	const struct search *s = ctx;

	return consider_place(s->image->bias + reloc->place, ctx);
}

static int add_variable(const struct rl_index_variable *v, void *ctx)
{
	struct place *p = add(ctx, &((struct search *)ctx)->variables, sizeof(*p));

	if (!p)
		return -1;
	*p = (struct place){ (uintptr_t)v->address, (uintptr_t)v->address + v->size, v->name, v->name_length, 0 };
	return 0;
}

static void note(const struct search *s, const char *text)
{
	char line[200];
	struct rl_text t = rl_text_into(line, sizeof(line));

	rl_text_add(&t, s->module->name);
	rl_text_add(&t, ": ");
	rl_text_add(&t, text);
	rl_remark(line);
}

static void give(struct search *s)
{
	if (s->failed || rl_module_add_calls(s->core, s->module, s->sites.items, s->sites.count) < 0)
		note(s, "out of memory for sites; calls through pointers stay as they are");
}

static void search_index(struct search *s, const struct rl_index *index)
{
	s->from_slots = true;
	rl_index_each_variable(index, add_variable, s);
	if (!s->failed)
		rl_index_each(index, consider_place, s);
	give(s);
}

static void search(struct search *s)
{
	rl_elf_each_slot(&s->elf, add_slot, s);
	if (!s->module->pointers && !s->slots.count)
		return;
	if (mark_symbols(s) && rl_elf_each_reloc(&s->elf, s->wanted, consider, s) < 0 && !s->failed)
		note(s, "its relocation sections are broken; calls through pointers stay as they are");
	give(s);
}

/* Names come from the file, if it still has some. */
static void search_places(struct search *s)
{
	if (s->opened)
		mark_symbols(s);
	rl_each_place(s->module, false, consider_place, s);
	s->from_slots = true;
	if (!s->failed)
		rl_each_place(s->module, true, consider_place, s);
	give(s);
}

static bool has_slots(struct search *s)
{
	rl_elf_each_slot(&s->elf, add_slot, s);
	return s->slots.count != 0;
}

static bool opens(struct search *s, const struct rl_file *file)
{
	const char *why;

	s->opened = file->data && !rl_elf_open(&s->elf, file->data, file->size, &why);
	if (file->data && !s->opened)
		note(s, why);
	return s->opened;
}

void rl_find_pointers(struct rl_module *module, const struct rl_image *image, const struct rl_file *file)
{
	struct search s = { .core = &rl_runtime.core, .module = module, .image = image };
	struct rl_index index;

	if (!s.core->pointer_modules)
		return;
	if ((module->pointers_start | module->pointers_stop) % 4096)
		note(&s, "its accelerated pointers share a page with other data (LTO in parts?): there an assignment does not fault");
	if (rl_module_index(module, &index))
		search_index(&s, &index);
	else if (opens(&s, file) && rl_elf_has_relocs(&s.elf))
		search(&s);
	else if (rl_has_places(module->header))
		search_places(&s);
	else if (s.opened && (module->pointers || has_slots(&s)))
		note(&s, "no relocations kept: link with -Wl,--emit-relocs, and don't strip; calls through pointers stay as they are");
	free(s.wanted);
	free(s.variables.items);
	free(s.slots.items);
	free(s.sites.items);
}

/* ---- names of what they held ---- */

struct start {
	uintptr_t slot;
	const void *fn;
};

static void collect(struct rl_core *core, struct start **list, size_t *count)
{
	size_t n = 0;

	for (const struct rl_choice *c = core->choices; c; c = c->next)
		n += rl_is_pointer(c);
	*list = calloc(n + 1, sizeof(**list));
	*count = 0;
	for (const struct rl_choice *c = core->choices; *list && c; c = c->next)
		if (rl_is_pointer(c) && c->module->pointers_sealed)
			(*list)[(*count)++] = (struct start){ (uintptr_t)c->call->slot, (const void *)(uintptr_t)c->variants[0].fn };
}

static void set_name(const struct start *start, const char *name)
{
	struct rl_choice *c;

	if (rl_lock(0))
		return;
	c = rl_pointer_choice(&rl_runtime.core, start->slot);
	if (c && (const void *)(uintptr_t)c->variants[0].fn == start->fn)
		rl_name_start(&rl_runtime.core, c, name);
	rl_unlock();
}

void rl_name_starts(void)
{
	struct start *list;
	size_t count;
	char name[64];

	if (rl_lock(0))
		return;
	collect(&rl_runtime.core, &list, &count);
	rl_unlock();
	for (size_t i = 0; i < count; i++) {
		struct rl_text t = rl_text_into(name, sizeof(name));

		if (list[i].fn)
			rl_symbol_name(list[i].fn, name, sizeof(name));
		else
			rl_text_add(&t, "NULL");
		set_name(&list[i], name);
	}
	free(list);
}
