/* SPDX-License-Identifier: MIT */
/*
 * linkage_index.c - calls that nobody has made yet: found by decoding a module's code, once per build-id.
 *
 * The file `sites-BUILDID` has their offsets in the text, four bytes each and ascending; what kind each is, and through which slot
 * it goes, the bytes in memory say, and whoever binds them asks those.
 */
#include <stdlib.h>
#include <sys/mman.h>

#include "elf/sitemap.h"
#include "runtime/cache.h"
#include "runtime/linkage.h"

#define VERSION 1
#define FIRST_ROOM 1024

struct offsets {
	uint64_t start;   /* of the text, as linked */
	uint32_t *items;
	size_t count, room;
};

static int add_offset(const struct rl_sitemap_site *site, void *ctx)
{
	struct offsets *o = ctx;
	uint32_t *grown;

	if (o->count == o->room) {
		o->room = o->room ? 2 * o->room : FIRST_ROOM;
		grown = realloc(o->items, o->room * sizeof(*grown));
		if (!grown)
			return -1;
		o->items = grown;
	}
	if (site->address - o->start > UINT32_MAX)
		return -1;
	o->items[o->count++] = (uint32_t)(site->address - o->start);
	return 0;
}

static bool decode(const struct rl_linked *m, struct offsets *found)
{
	const struct rl_port *port = rl_runtime.core.port;
	size_t size = rl_sitemap_size(&m->view, port);
	void *memory = malloc(size + 1);
	struct rl_sitemap map;
	int r = -1;

	if (memory) {
		rl_sitemap_open(&map, &m->view, port, memory, size);
		r = rl_sitemap_each(&map, add_offset, found, NULL);
	}
	free(memory);
	if (r < 0)
		free(found->items);
	return r == 0;
}

static void note_all(struct rl_linked *m, size_t count)
{
	m->decoded = true;
	m->found = count;
}

bool rl_all_load(struct rl_linked *m, uint32_t **offsets, size_t *count)
{
	struct rl_cache_name name = { "sites", VERSION, m->build_id, m->build_id_length };
	struct offsets found = { .start = m->text_start - m->bias };
	bool cached = !(rl_linkage.options.flags & RELINK_LINKAGE_NO_CACHE);
	void *contents;
	size_t size;

	if (cached && rl_cache_load(&name, &contents, &size) == 0) {
		*offsets = contents;
		*count = size / sizeof(**offsets);
		note_all(m, *count);
		return true;
	}
	if (!decode(m, &found))
		return false;
	if (cached)
		rl_cache_save(&name, found.items, found.count * sizeof(*found.items));
	*offsets = found.items;
	*count = found.count;
	note_all(m, *count);
	return true;
}

/* ---- tail jumps ---- */

/* What is being searched, and the function in which the last place was. */
struct tails {
	const struct rl_linked *m;
	const struct rl_linked_slot *slot;
	const struct rl_piece *piece;
	struct rl_functions functions;
	struct rl_area areas[2];
	size_t field, end;
	size_t start, stop, at; /* `at` an instruction starts */
};

static bool enter_function(struct tails *t, size_t field)
{
	const struct rl_piece *piece = t->piece;
	uint64_t start, stop;

	if (field >= t->start && field < t->stop)
		return true;
	if (!rl_functions_frame(&t->functions, piece->address + field, &start, &stop) || start < piece->address ||
	    stop - piece->address > piece->size)
		return false;
	t->start = t->at = (size_t)(start - piece->address);
	t->stop = (size_t)(stop - piece->address);
	return true;
}

/* Does the jump go through the slot? A stub's own does, too, and linkers describe rows of stubs as functions: bound, it would lead all
 * calls past the recorder. */
static bool is_tail(const struct tails *t, const struct rl_lead *lead, struct rl_link *link)
{
	uintptr_t address = t->m->bias + (uintptr_t)lead->address;

	return (lead->kind == RL_TAIL || lead->kind == RL_POINTER_TAIL) && !lead->fixed && !rl_is_stub(t->m, address) &&
	       rl_link_at(t->m, address, link) && &rl_linkage.slots[link->slot] == t->slot;
}

/* Is there an instruction whose operand it is? Decoding says, from the function's start or where the last one was. */
static bool is_tail_at(struct tails *t, size_t field, struct rl_link *link)
{
	struct rl_lead lead;

	return enter_function(t, field) &&
	       rl_runtime.core.port->reach(t->piece->bytes, t->stop, t->piece->address, &t->at, field, &lead) == RL_REACHED &&
	       is_tail(t, &lead, link);
}

static bool next_tail(struct tails *t, struct rl_link *link)
{
	const struct rl_port *port = rl_runtime.core.port;
	const struct rl_piece *piece = t->piece;
	uint64_t target;

	while ((t->field = port->seek(piece->bytes, t->end, t->field, piece->address, t->areas, &target)) < t->end) {
		size_t field = t->field++;
		enum rl_kind kind = port->looks_like(piece->bytes, t->end, field, 0);

		if ((kind == RL_TAIL || kind == RL_POINTER_TAIL) && is_tail_at(t, field, link))
			return true;
	}
	return false;
}

/* In the piece that holds this code. Jumps to any code may be jumps to a stub that is not known: what they lead to says. */
static bool open_tails(struct tails *t, const struct rl_linked *m, const struct rl_linked_slot *slot, uintptr_t code)
{
	uintptr_t stub = rl_stub_of_slot(m, slot);

	*t = (struct tails){ .m = m, .slot = slot, .piece = rl_view_code(&m->view, code - m->bias) };
	if (!t->piece)
		return false;
	rl_functions_open_frames(&t->functions, &m->view);
	t->areas[0] = stub ? (struct rl_area){ stub - m->bias, 1 } : (struct rl_area){ t->piece->address, t->piece->size };
	t->areas[1] = (struct rl_area){ slot->address - m->bias, 1 };
	t->end = (size_t)t->piece->size;
	return true;
}

bool rl_link_tail(const struct rl_linked *m, uintptr_t function, const struct rl_linked_slot *slot, struct rl_link *link)
{
	struct tails t;

	if (!open_tails(&t, m, slot, function) || !enter_function(&t, (size_t)(function - m->bias - t.piece->address)))
		return false;
	t.field = t.start;
	t.end = t.stop;
	return next_tail(&t, link);
}

/* ---- all tail jumps of a module ---- */

/* What looks like one: the operand's offset in the first piece of code, and the slot's number in the module, from 1 on. */
struct rl_tail_place {
	uint32_t field;
	uint32_t slot;
};

static uint32_t slot_number(const struct rl_linked *m, uintptr_t target)
{
	const struct rl_linked_slot *slot = rl_linked_slot(m, target);

	slot = slot ? slot : rl_slot_of_stub(m, target);
	return slot ? (uint32_t)((size_t)(slot - rl_linkage.slots) - m->first + 1) : 0;
}

static struct rl_area area_of_slots(const struct rl_linked *m)
{
	const struct rl_linked_slot *slots = rl_linkage.slots + m->first;

	return (struct rl_area){ slots[0].address - m->bias, slots[m->count - 1].address - slots[0].address + 1 };
}

static size_t most_places(const struct rl_piece *piece)
{
	return (size_t)piece->size / 16; /* more would be no code */
}

static void search(struct rl_linked *m, const struct rl_piece *piece)
{
	const struct rl_port *port = rl_runtime.core.port;
	const struct rl_area areas[2] = { { m->stubs_start - m->bias, m->stub_words * 8 }, area_of_slots(m) };
	uint64_t target;

	for (size_t field = 0; m->tail_count < most_places(piece); field++) {
		enum rl_kind kind;

		field = port->seek(piece->bytes, (size_t)piece->size, field, piece->address, areas, &target);
		if (field >= piece->size)
			return;
		kind = port->looks_like(piece->bytes, (size_t)piece->size, field, 0);
		if (kind != RL_TAIL && kind != RL_POINTER_TAIL)
			continue;
		m->tails[m->tail_count] = (struct rl_tail_place){ (uint32_t)field, slot_number(m, m->bias + (uintptr_t)target) };
		m->tail_count += m->tails[m->tail_count].slot != 0;
	}
}

/* Once per module that is in need of it. The recorder must not ask malloc. */
static bool find_all_tails(struct rl_linked *m)
{
	const struct rl_piece *piece = rl_view_code(&m->view, m->text_start - m->bias);
	size_t size = piece ? most_places(piece) * sizeof(*m->tails) : 0;

	if (m->tails)
		return true;
	if (!size || !m->count || !m->stub_words || piece->size > UINT32_MAX)
		return false;
	m->tails = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (m->tails == MAP_FAILED) {
		m->tails = NULL;
		return false;
	}
	m->tails_size = size;
	search(m, piece);
	return true;
}

size_t rl_link_tails(struct rl_linked *m, const struct rl_linked_slot *slot, struct rl_link *links, size_t room)
{
	size_t number = (size_t)(slot - rl_linkage.slots) - m->first + 1, count = 0;
	struct tails t;

	if (!find_all_tails(m) || !open_tails(&t, m, slot, m->text_start))
		return 0;
	for (size_t i = 0; i < m->tail_count && count < room; i++)
		if (m->tails[i].slot == number && is_tail_at(&t, m->tails[i].field, &links[count]))
			count++;
	return count;
}

void rl_forget_tails(struct rl_linked *m)
{
	if (m->tails)
		munmap(m->tails, m->tails_size);
}
