/* SPDX-License-Identifier: MIT */
/*
 * sites.c - finds the calls of static calls in a module: from its index, from the relocations that the linker kept in its file, or from
 * the places that its object files brought.
 *
 * A relocation leads to a site if it names a trampoline of this module, or an undefined symbol whose GOT slot the loader has
 * filled with the address of a trampoline; without a symbol, if the code leads to either. What the code there does is read from
 * memory, never assumed: a call counts only if it leads to the trampoline, or to the PLT stub that jumps through that slot.
 */
#include <stdlib.h>
#include <string.h>

#include "elf/relocs.h"
#include "runtime/runtime.h"

#define BEFORE 6 /* bytes in front of a relocated field that the port may look at */
#define WINDOW 12

/* What a symbol of the file means to us. */
struct meaning {
	struct rl_choice *call;
	uintptr_t slot; /* of an imported call, else 0 */
};

struct import {
	const char *name;
	size_t length;
	struct meaning meaning;
};

struct search {
	struct rl_core *core;
	struct rl_module *module;
	const struct rl_module *only; /* calls that this module defines; NULL: of any */
	const struct rl_image *image;
	struct rl_elf elf;
	struct rl_choice **calls; /* by address of the trampoline */
	size_t call_count;
	struct import *imports;
	size_t import_count, import_capacity;
	struct meaning *meanings; /* by symbol index */
	uint8_t *wanted;
	struct rl_raw_site *sites;
	size_t site_count, site_capacity;
	size_t lazy, through_got;
	bool opened; /* the file */
	bool failed;
};

static int by_entry(const void *a, const void *b)
{
	const struct rl_choice *const *x = a, *const *y = b;
	uintptr_t p = (uintptr_t)(*x)->call->trampoline, q = (uintptr_t)(*y)->call->trampoline;

	return p < q ? -1 : p > q;
}

static bool list_calls(struct search *s)
{
	size_t n = 0;

	s->calls = calloc(s->core->call_count + 1, sizeof(*s->calls));
	if (!s->calls)
		return false;
	for (struct rl_choice *c = s->core->choices; c; c = c->next)
		if (c->kind == RELINK_CALL && c->trampoline_ok && (!s->only || c->module == s->only) && n < s->core->call_count)
			s->calls[n++] = c;
	s->call_count = n;
	qsort(s->calls, n, sizeof(*s->calls), by_entry);
	return n != 0;
}

static struct rl_choice *call_at(const struct search *s, uintptr_t address)
{
	size_t low = 0, high = s->call_count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if ((uintptr_t)s->calls[middle]->call->trampoline < address)
			low = middle + 1;
		else
			high = middle;
	}
	return low < s->call_count && (uintptr_t)s->calls[low]->call->trampoline == address ? s->calls[low] : 0;
}

/* Grows an array by doubling. */
static void *room(void *array, size_t count, size_t *capacity, size_t size)
{
	void *grown;

	if (count < *capacity)
		return array;
	*capacity = *capacity ? 2 * *capacity : 64;
	grown = realloc(array, *capacity * size);
	if (!grown)
		free(array);
	return grown;
}

/* In another module's data, which a sanitizer may have fenced off for that module's own accesses. */
__attribute__((no_sanitize("address"))) static uintptr_t value_of_slot(uintptr_t address)
{
	uintptr_t value = *(const volatile uintptr_t *)address;
	const struct rl_watch *w = rl_watch_of_entry(value);

	return w ? w->target : value; /* relink_linkage has come first, and learns which calls are hot */
}

static bool is_own_call(const struct search *s, const struct rl_elf_slot *slot)
{
	for (size_t i = 0; i < s->call_count; i++)
		if (s->calls[i]->module == s->module && rl_same_n(s->calls[i]->name, slot->name, slot->name_length))
			return true;
	return false;
}

static int add_import(const struct rl_elf_slot *slot, void *ctx)
{
	struct search *s = ctx;
	uintptr_t address = s->image->bias + slot->address;
	uintptr_t value = value_of_slot(address);
	struct rl_choice *call = call_at(s, value);

	/* A lazy slot leads back into the own PLT until its first call. A module's own function may be where it leads for good. */
	if (slot->lazy && !call && !s->only && (slot->undefined || is_own_call(s, slot)) && value >= s->module->text_start && value < s->module->text_stop)
		s->lazy++;
	if (!call)
		return 0;
	s->imports = room(s->imports, s->import_count, &s->import_capacity, sizeof(*s->imports));
	if (!s->imports)
		return s->failed = true;
	s->imports[s->import_count++] = (struct import){ slot->name, slot->name_length, { call, address } };
	return 0;
}

static const struct meaning *imported(const struct search *s, const struct rl_elf_symbol *symbol)
{
	for (size_t i = 0; i < s->import_count; i++)
		if (s->imports[i].length == symbol->name_length && !memcmp(s->imports[i].name, symbol->name, symbol->name_length))
			return &s->imports[i].meaning;
	return 0;
}

/* A shared object reaches its own static calls through its PLT, too: another module's function of that name may come first. */
static struct meaning meaning_of(const struct search *s, const struct rl_elf_symbol *symbol)
{
	struct meaning m = { 0, 0 };
	const struct meaning *import;

	if (!symbol->undefined)
		m.call = call_at(s, s->image->bias + symbol->value);
	if (!s->import_count || (!symbol->undefined && !m.call))
		return m;
	import = imported(s, symbol);
	return import ? *import : m;
}

/* Symbols that matter: trampolines of this module, imported ones. */
static bool mark_symbols(struct search *s)
{
	uint32_t count = rl_elf_symbol_count(&s->elf);
	struct rl_elf_symbol symbol;
	bool any = false;

	s->meanings = calloc(count + 1u, sizeof(*s->meanings));
	s->wanted = calloc(count / 8u + 1u, 1);
	if (!s->meanings || !s->wanted)
		return false;
	/* mold 1.10 keeps relocations against imported symbols without their symbol. */
	if (s->import_count) {
		s->wanted[0] |= 1;
		any = true;
	}
	for (uint32_t i = 1; i < count; i++) {
		struct meaning m;

		if (!rl_elf_symbol(&s->elf, i, &symbol))
			continue;
		m = meaning_of(s, &symbol);
		if (!m.call)
			continue;
		s->meanings[i] = m;
		s->wanted[i / 8] |= (uint8_t)(1u << i % 8);
		any = true;
	}
	return any;
}

/* The GOT slot that the PLT stub at `target` jumps through, or 0. */
static uintptr_t slot_behind(const struct search *s, uint64_t target)
{
	uint64_t slot;

	if (target < s->module->text_start || target + 16 > s->module->text_stop)
		return 0;
	return s->core->port->plt_slot((const uint8_t *)(uintptr_t)target, 16, target, &slot) ? (uintptr_t)slot : 0;
}

/* The call that a branch to `target` is one of, if the relocation's symbol allows it. */
static struct rl_choice *call_behind(const struct search *s, const struct meaning *m, uint64_t target)
{
	uintptr_t slot;

	if (m->call && target == (uintptr_t)m->call->call->trampoline)
		return m->call;
	if (m->call && !m->slot)
		return 0;
	slot = slot_behind(s, target);
	for (size_t i = 0; slot && i < s->import_count; i++)
		if (s->imports[i].meaning.slot == slot && (!m->call || m->call == s->imports[i].meaning.call))
			return s->imports[i].meaning.call;
	return 0;
}

static int add_site(struct search *s, const struct rl_found *found, struct rl_choice *call)
{
	s->sites = room(s->sites, s->site_count, &s->site_capacity, sizeof(*s->sites));
	if (!s->sites)
		return s->failed = true;
	s->sites[s->site_count++] = (struct rl_raw_site){ found->address, found->target, call, (uint8_t)found->kind, 0 };
	return 0;
}

/* A call that was baked no longer leads to its trampoline: it says what its choice says. */
static int consider_baked(struct search *s, struct rl_choice *call, uintptr_t place)
{
	/* How far in front of its relocation an instruction may begin; see the port's recognise. */
	static const struct { enum rl_kind kind; unsigned before; } shapes[] = {
		{ RL_JCC, 2 }, { RL_CALL, 1 }, { RL_TAIL, 1 }, { RL_TAIL, 2 },
	};
	const struct rl_port *port = s->core->port;
	struct rl_want want = rl_want_of(call, call->state, 0);
	struct rl_found found = { .target = (uintptr_t)call->call->trampoline };

	for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++) {
		found.kind = shapes[i].kind;
		found.address = place - shapes[i].before;
		if (port->expresses(found.kind, found.address, found.target, &want, (const uint8_t *)(uintptr_t)found.address))
			return add_site(s, &found, call);
	}
	return 0;
}

static int consider(const struct rl_elf_reloc *reloc, void *ctx)
{
	struct search *s = ctx;
	const struct meaning *m = &s->meanings[reloc->symbol];
	uintptr_t place = s->image->bias + reloc->place;
	struct rl_choice *call;
	struct rl_found found;
	bool is_call;

	if (place < s->module->text_start + BEFORE || place + WINDOW - BEFORE > s->module->text_stop)
		return 0;
	is_call = s->core->port->recognise((const uint8_t *)place - BEFORE, BEFORE, WINDOW, place, &found);
	if (is_call && found.via_slot) {
		s->through_got += m->slot && found.target == m->slot;
		return 0;
	}
	call = is_call ? call_behind(s, m, found.target) : 0;
	if (!call && m->call && rl_is_baked(m->call) && m->call->module == s->module)
		return consider_baked(s, m->call, place);
	return call ? add_site(s, &found, call) : 0;
}

/* Without a symbol the code alone says where it leads. */
static struct rl_choice *call_through(struct search *s, uintptr_t slot)
{
	uintptr_t value = slot ? value_of_slot(slot) : 0;
	struct rl_choice *call = value ? call_at(s, value) : 0;

	s->lazy += !call && !s->only && value >= s->module->text_start && value < s->module->text_stop;
	return call;
}

static int consider_place(uint64_t place, void *ctx)
{
	struct search *s = ctx;
	struct rl_choice *call;
	struct rl_found found;

	if (place < s->module->text_start + BEFORE || place + WINDOW - BEFORE > s->module->text_stop)
		return 0;
	if (!s->core->port->recognise((const uint8_t *)(uintptr_t)place - BEFORE, BEFORE, WINDOW, place, &found))
		return 0;
	if (found.via_slot) {
		if (!rl_pointer_module(s->core, (uintptr_t)found.target & ~(uintptr_t)7))
			s->through_got += call_at(s, value_of_slot((uintptr_t)found.target)) != 0;
		return 0;
	}
	call = call_at(s, (uintptr_t)found.target);
	if (!call)
		call = call_through(s, slot_behind(s, found.target));
	return call ? add_site(s, &found, call) : 0;
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

static void give(const struct search *s)
{
	if (!s->failed && s->site_count && rl_module_add_calls(s->core, s->module, s->sites, s->site_count) < 0)
		note(s, "out of memory for sites; calls go through trampolines");
}

static void search(struct search *s)
{
	rl_elf_each_slot(&s->elf, add_import, s);
	if (s->failed || !mark_symbols(s))
		return;
	if (rl_elf_each_reloc(&s->elf, s->wanted, consider, s) < 0)
		note(s, "its relocation sections are broken; calls go through trampolines");
	give(s);
}

static bool opens(struct search *s, const struct rl_file *file)
{
	const char *why;

	s->opened = file->data && !rl_elf_open(&s->elf, file->data, file->size, &why);
	if (file->data && !s->opened)
		note(s, why);
	return s->opened;
}

void rl_find_calls(struct rl_module *module, const struct rl_module *only, const struct rl_image *image, const struct rl_file *file)
{
	struct search s = { .core = &rl_runtime.core, .module = module, .only = only, .image = image };
	struct rl_index index;

	if (!list_calls(&s)) {
		free(s.calls);
		return;
	}
	if (rl_module_index(module, &index)) {
		rl_index_each(&index, consider_place, &s);
		give(&s);
	} else if (opens(&s, file) && rl_elf_has_relocs(&s.elf)) {
		search(&s);
	} else if (rl_has_places(module->header)) {
		rl_each_place(module, false, consider_place, &s);
		give(&s);
	} else if (s.opened) {
		note(&s, rl_elf_symbol_count(&s.elf) ? "no relocations kept: link with -Wl,--emit-relocs; calls go through trampolines"
						     : "stripped: run relink index first; calls go through trampolines");
	}
	if (s.lazy)
		note(&s, "some imports are bound lazily: link with -Wl,-z,now, or calls of other modules' static calls stay indirect");
	if (s.through_got)
		note(&s, "some calls go through the GOT (-fno-plt): they reach the trampoline, and are not rewritten");
	free(s.calls);
	free(s.imports);
	free(s.meanings);
	free(s.wanted);
	free(s.sites);
}
