/* SPDX-License-Identifier: MIT */
/* linkage_modules.c - which modules there are, which slots they have, where slots lead. */
#include <elf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/linkage.h"

#define PAGE 4096u
#define STUB_SIZE 32u /* at most, for the port to look at */

/* ---- what there is no room for ---- */

void rl_linkage_note(const char *text, const char *more)
{
	size_t used = rl_length(rl_linkage.notes);
	struct rl_text t = rl_text_into(rl_linkage.notes + used, sizeof(rl_linkage.notes) - used);

	if (strstr(rl_linkage.notes, text))
		return;
	rl_text_add(&t, text);
	rl_text_add(&t, more);
	rl_text_add(&t, "\n");
}

/* ---- modules ---- */

static const char *last_component(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* Is `name` the module's, or that up to ".so"? */
static bool is_named(const char *module, const char *name, size_t length)
{
	const char *so = strstr(module, ".so");

	return (strlen(module) == length && !memcmp(module, name, length)) ||
	       (so && (size_t)(so - module) == length && !memcmp(module, name, length));
}

static bool lists(const char *list, const char *module)
{
	for (const char *at = list; at && *at;) {
		size_t length = strcspn(at, ",");

		if (length && is_named(module, at, length))
			return true;
		at += length + (at[length] == ',');
	}
	return false;
}

/* relink's own code runs while others' changes. The loader's may at any time. */
static bool is_ours(const char *name)
{
	return !strncmp(name, "librelink", 9) || !strncmp(name, "ld-linux", 8) || !strncmp(name, "ld-musl", 7) ||
	       !strncmp(name, "ld.so", 5) || !strncmp(name, "linux-vdso", 10);
}

static bool holds_runtime(const struct rl_linked *m)
{
	return m->text_start <= (uintptr_t)&rl_linkage_look && m->text_stop > (uintptr_t)&rl_linkage_look;
}

static const char *why_left(const struct rl_linked *m)
{
	if (m->never)
		return m->private_pages ? "never changed" : "it has no code";
	if (rl_linkage.reverted)
		return RL_REVERTED;
	if (rl_linkage.options.only && !lists(rl_linkage.options.only, m->name))
		return "not among those asked for";
	return lists(rl_linkage.options.not_, m->name) ? "excluded" : NULL;
}

static char *path_of(const struct rl_loaded *loaded)
{
	char path[4096] = "";
	ssize_t length;

	if (!loaded->main)
		return strdup(loaded->name);
	length = rl_files_allowed() ? readlink("/proc/self/exe", path, sizeof(path) - 1) : -1;
	return strdup(length > 0 ? path : "/proc/self/exe");
}

static void find_text(struct rl_linked *m)
{
	m->text_start = UINTPTR_MAX;
	for (size_t i = 0; i < m->view.count; i++) {
		const struct rl_piece *piece = &m->view.pieces[i];

		if (!(piece->flags & PF_X))
			continue;
		if (m->bias + piece->address < m->text_start)
			m->text_start = m->bias + piece->address;
		if (m->bias + piece->address + piece->size > m->text_stop)
			m->text_stop = m->bias + piece->address + piece->size;
	}
}

/* Both in one piece of memory. */
static void make_pages(struct rl_linked *m)
{
	size_t size = (m->text_stop / PAGE - m->text_start / PAGE) / 8 + 1;

	m->private_pages = calloc(2, size);
	m->written_pages = m->private_pages ? m->private_pages + size : NULL;
}

static struct rl_linked *new_module(const struct rl_loaded *loaded)
{
	struct rl_linked *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->bias = loaded->bias;
	m->headers = loaded->headers;
	m->main = loaded->main;
	if (!rl_view_loaded(&m->view, loaded->headers, loaded->header_count, loaded->bias) || !(m->path = path_of(loaded))) {
		free(m);
		return NULL;
	}
	find_text(m);
	if (m->text_stop)
		make_pages(m);
	m->name = last_component(m->path);
	m->never = !m->private_pages || is_ours(m->name) || (holds_runtime(m) && !m->main);
	m->why = why_left(m);
	if (loaded->build_id && loaded->build_id_length <= sizeof(m->build_id)) {
		memcpy(m->build_id, loaded->build_id, loaded->build_id_length);
		m->build_id_length = loaded->build_id_length;
	}
	return m;
}

/* ---- slots ---- */

struct filling {
	struct rl_linked *module;
	uint16_t index;
	bool failed;
};

static bool grow_slots(void)
{
	struct rl_linkage_runtime *l = &rl_linkage;
	size_t capacity = l->slot_capacity ? 2 * l->slot_capacity : 4096;
	struct rl_linked_slot *grown = realloc(l->slots, capacity * sizeof(*grown));

	if (!grown)
		return false;
	l->slots = grown;
	l->slot_capacity = capacity;
	return true;
}

static bool is_read_only(const struct rl_view *view, uint64_t address)
{
	return address >= (view->relro & ~(uint64_t)(PAGE - 1)) && address < ((view->relro + view->relro_size) & ~(uint64_t)(PAGE - 1));
}

static int add_slot(const struct rl_slot *slot, void *context)
{
	struct filling *f = context;
	struct rl_linkage_runtime *l = &rl_linkage;

	if (!rl_view_at(&f->module->view, slot->address, sizeof(uintptr_t), PF_W))
		return 0;
	if (l->slot_count == l->slot_capacity && !grow_slots()) {
		f->failed = true;
		return 1;
	}
	l->slots[l->slot_count++] = (struct rl_linked_slot){
		.address = f->module->bias + slot->address, .name = slot->name, .module = f->index, .kind = (uint8_t)slot->kind,
		.read_only = is_read_only(&f->module->view, slot->address), .asked = rl_linkage_asks(slot->name),
		.defined = slot->defined,
	};
	return 0;
}

static int by_address(const void *a, const void *b)
{
	const struct rl_linked_slot *x = a, *y = b;

	return x->address < y->address ? -1 : x->address > y->address;
}

/* The same word may be filled by two relocations; the first table's kind counts. */
static void drop_twins(struct rl_linked *m)
{
	struct rl_linked_slot *slots = rl_linkage.slots + m->first;
	size_t kept = 0;

	for (size_t i = 0; i < m->count; i++)
		if (!kept || slots[kept - 1].address != slots[i].address)
			slots[kept++] = slots[i];
	m->count = kept;
	rl_linkage.slot_count = m->first + kept;
}

static bool find_slots(struct rl_linked *m, uint16_t index)
{
	struct filling f = { m, index, false };

	m->first = rl_linkage.slot_count;
	if (m->never)
		return true;
	rl_each_slot(&m->view, rl_runtime.core.port->machine, add_slot, &f);
	m->count = rl_linkage.slot_count - m->first;
	qsort(rl_linkage.slots + m->first, m->count, sizeof(*rl_linkage.slots), by_address);
	drop_twins(m);
	rl_stubs_find(m);
	return !f.failed;
}

/* ---- what is there now ---- */

/* Then all addresses that are known are ones that it has. */
static bool has_shape_of(const struct rl_linked *m, const struct rl_loaded *loaded)
{
	struct rl_view now;

	if (!rl_view_loaded(&now, loaded->headers, loaded->header_count, loaded->bias) || now.count != m->view.count)
		return false;
	for (size_t i = 0; i < now.count; i++) {
		const struct rl_piece *a = &now.pieces[i], *b = &m->view.pieces[i];

		if (a->address != b->address || a->size != b->size || a->flags != b->flags)
			return false;
	}
	return now.dynamic == m->view.dynamic && now.dynamic_size == m->view.dynamic_size && now.relro == m->view.relro;
}

/* Without a build-id: another library may have come to the same place. */
static bool looks_the_same(const struct rl_linked *m, const struct rl_loaded *loaded)
{
	return (m->main || !strcmp(m->path, loaded->name)) && has_shape_of(m, loaded);
}

static bool is_same(const struct rl_linked *m, const struct rl_loaded *loaded)
{
	if (m->gone || m->headers != loaded->headers || m->bias != loaded->bias)
		return false;
	if (!m->build_id_length && (!loaded->build_id_length || loaded->build_id_length > sizeof(m->build_id)))
		return looks_the_same(m, loaded);
	return m->build_id_length == loaded->build_id_length && !memcmp(m->build_id, loaded->build_id, m->build_id_length);
}

static struct rl_linked *known_module(const struct rl_loaded *loaded)
{
	for (size_t i = 0; i < rl_linkage.module_count; i++)
		if (is_same(rl_linkage.modules[i], loaded))
			return rl_linkage.modules[i];
	return NULL;
}

/* Its links, slots and watches stay where they are until somebody may tidy up, and are not looked at. */
static void bury(struct rl_linked *m)
{
	m->gone = true;
	rl_linkage.pages -= m->pages;
	m->pages = 0;
}

enum evidence { NONE, OLD, NEW };

/* Slots of a module that has just been loaded lead to the recorder nowhere; hooks are rarely in all of them. */
static enum evidence slots_say(const struct rl_linked *m)
{
	enum evidence says = NONE;

	for (size_t i = m->first; i < m->first + m->count; i++) {
		const struct rl_linked_slot *slot = &rl_linkage.slots[i];

		if (!slot->watch || slot->watch->slot != slot->address || (slot->watch->state != RL_WATCH_ON && slot->watch->state != RL_WATCH_UNFILLED))
			continue;
		if (rl_slot_value(slot) == rl_watch_entry(slot->watch))
			return OLD;
		says = NEW;
	}
	return says;
}

/* What was bound is as it was linked, if it has been loaded again. */
static enum evidence links_say(const struct rl_linked *m)
{
	for (size_t i = 0; i < rl_linkage.link_count; i++) {
		const struct rl_link *link = &rl_linkage.links[i];

		if (link->state == RELINK_LINK_BOUND && rl_linkage.modules[link->module] == m)
			return rl_link_is_intact(&rl_runtime.core, link) ? OLD : NEW;
	}
	return NONE;
}

/* Or has it gone, and come again to the same place? Without a build-id that may be another file. */
static bool has_stayed(const struct rl_linked *m, const struct rl_loaded *loaded)
{
	enum evidence says;

	if (!has_shape_of(m, loaded))
		return false;
	says = links_say(m);
	says = says == NONE ? slots_say(m) : says;
	return says == NONE ? m->build_id_length || m->why : says == OLD;
}

static int note_seen(const struct rl_loaded *loaded, void *context)
{
	struct rl_linked *m = known_module(loaded);

	(void)context;
	if (m)
		m->seen = has_stayed(m, loaded);
	return 0;
}

void rl_linkage_bury(uint64_t removals)
{
	struct rl_linkage_runtime *l = &rl_linkage;

	if (l->removals == removals)
		return;
	l->removals = removals;
	for (size_t i = 0; i < l->module_count; i++)
		l->modules[i]->seen = false;
	rl_each_loaded(note_seen, NULL);
	for (size_t i = 0; i < l->module_count; i++)
		if (!l->modules[i]->seen && !l->modules[i]->gone)
			bury(l->modules[i]);
}

/*
 * Another thread may be in dlopen: the module is listed, and the loader relocates it yet. Slots that stubs jump through come last, and
 * hold addresses as linked until then. It is taken in the next time.
 */
static bool is_being_loaded(const struct rl_linked *m)
{
	for (size_t i = m->first; i < m->first + m->count; i++) {
		const struct rl_linked_slot *slot = &rl_linkage.slots[i];

		if (slot->kind != RL_SLOT_DATA && rl_slot_value(slot) && rl_slot_value(slot) < m->text_stop - m->bias + (64u << 20) &&
		    rl_slot_value(slot) < m->bias)
			return true;
	}
	return false;
}

static void leave_out(struct rl_linked *m)
{
	rl_linkage.slot_count = m->first;
	free(m->stubs);
	free(m->private_pages);
	free(m->path);
	free(m);
}

static int look_at(const struct rl_loaded *loaded, void *context)
{
	struct rl_linkage_runtime *l = &rl_linkage;
	struct rl_linked *m;
	bool *failed = context;

	rl_linkage_bury(loaded->removals);
	if (known_module(loaded))
		return 0;
	if (l->module_count == RL_LINKED_MAX) {
		rl_linkage_note("there are more than 1024 modules: calls of the others, and to them, are left as they are", "");
		return 0;
	}
	m = new_module(loaded);
	*failed |= !m || !find_slots(m, (uint16_t)l->module_count);
	if (m && is_being_loaded(m))
		leave_out(m);
	else if (m)
		l->modules[l->module_count++] = m;
	return 0;
}

bool rl_linkage_look(void)
{
	bool failed = false;

	rl_each_loaded(look_at, &failed);
	return !failed;
}

/* ---- for the recorder, too ---- */

struct rl_linked *rl_linked_at(uintptr_t code)
{
	for (size_t i = 0; i < rl_linkage.module_count; i++) {
		struct rl_linked *m = rl_linkage.modules[i];

		if (!m->gone && code >= m->text_start && code < m->text_stop && rl_view_code(&m->view, code - m->bias))
			return m;
	}
	return NULL;
}

struct rl_linked_slot *rl_linked_slot(const struct rl_linked *module, uintptr_t address)
{
	size_t low = module->first, high = module->first + module->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (rl_linkage.slots[middle].address < address)
			low = middle + 1;
		else
			high = middle;
	}
	return low < module->first + module->count && rl_linkage.slots[low].address == address ? &rl_linkage.slots[low] : NULL;
}

static const uint8_t *code_at(const struct rl_linked *m, uintptr_t address, size_t *count)
{
	const struct rl_piece *piece = rl_view_code(&m->view, address - m->bias);
	uint64_t left = piece ? piece->address + piece->size - (address - m->bias) : 0;

	*count = left < STUB_SIZE ? (size_t)left : STUB_SIZE;
	return (const uint8_t *)address;
}

/* A program at a fixed address makes its own stub the address of a function that it takes: everybody's slot leads there. One hop. */
static uintptr_t behind_stub(const struct rl_linked *m, uintptr_t value)
{
	struct rl_linked_slot *slot = rl_slot_of_stub(m, value);

	if (!slot)
		return value;
	return slot->watch && rl_slot_value(slot) == rl_watch_entry(slot->watch) ? slot->watch->target : rl_slot_value(slot);
}

uintptr_t rl_slot_target(const struct rl_linked_slot *slot, uint8_t *state)
{
	const struct rl_port *port = rl_runtime.core.port;
	uintptr_t value = rl_slot_value(slot);
	struct rl_watch *w = rl_watch_of_entry(value);
	struct rl_linked *m;
	const uint8_t *bytes;
	size_t count, opcode;
	uint64_t through;

	if (w)
		value = w->target;
	for (int hops = 0; hops < 2; hops++) {
		uintptr_t next;

		*state = RELINK_LINK_TARGET;
		m = rl_linked_at(value);
		if (!m)
			return 0;
		bytes = code_at(m, value, &count);
		if (port->unfilled(bytes, count)) {
			*state = RELINK_LINK_LAZY;
			return 0;
		}
		/* A static call, and the site may be the core's: whether the module has records is not known before its constructors have run. */
		if (port->trampoline(bytes, count, value, &opcode, &through))
			return 0;
		next = m->main && m != rl_slot_module(slot) ? behind_stub(m, value) : value;
		if (next == value)
			return value;
		value = next;
	}
	return value;
}

bool rl_slot_is_filled_by_stub(const struct rl_linked_slot *slot)
{
	uintptr_t value = rl_slot_value(slot);
	const struct rl_linked *m = rl_linked_at(value);
	const uint8_t *bytes;
	size_t count;

	if (!m)
		return false;
	bytes = code_at(m, value, &count);
	return rl_runtime.core.port->unfilled_by_stub(bytes, count);
}
