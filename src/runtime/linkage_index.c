/* SPDX-License-Identifier: MIT */
/*
 * linkage_index.c - calls that nobody has made yet: found by decoding a module's code, once per build-id.
 *
 * The file `sites-BUILDID` has their offsets in the text, four bytes each and ascending; what kind each is, and through which slot
 * it goes, the bytes in memory say, and whoever binds them asks those.
 */
#include <stdlib.h>

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

/* Does the jump with its operand at `field` go through the slot? */
static bool is_tail(const struct rl_linked *m, const struct rl_lead *lead, const struct rl_linked_slot *slot, struct rl_link *link)
{
	return (lead->kind == RL_TAIL || lead->kind == RL_POINTER_TAIL) && !lead->fixed && rl_link_at(m, m->bias + lead->address, link) &&
	       &rl_linkage.slots[link->slot] == slot;
}

/* Jumps to any code may be jumps to a stub, of which there is no table here: what they lead to says. */
bool rl_link_tail(const struct rl_linked *m, uintptr_t function, const struct rl_linked_slot *slot, struct rl_link *link)
{
	const struct rl_port *port = rl_runtime.core.port;
	const struct rl_piece *piece = rl_view_code(&m->view, function - m->bias);
	uint64_t start, stop, target;
	struct rl_functions functions;
	struct rl_area areas[2];
	struct rl_lead lead;
	size_t at, count;

	rl_functions_open_frames(&functions, &m->view);
	if (!piece || !rl_functions_frame(&functions, function - m->bias, &start, &stop) || start < piece->address ||
	    stop - piece->address > piece->size)
		return false;
	areas[0] = (struct rl_area){ piece->address, piece->size };
	areas[1] = (struct rl_area){ slot->address - m->bias, 1 };
	at = (size_t)(start - piece->address);
	count = (size_t)(stop - piece->address);
	for (size_t field = at; (field = port->seek(piece->bytes, count, field, piece->address, areas, &target)) < count; field++) {
		enum rl_kind kind = port->looks_like(piece->bytes, count, field, 0);

		if (kind != RL_TAIL && kind != RL_POINTER_TAIL)
			continue;
		switch (port->reach(piece->bytes, count, piece->address, &at, field, &lead)) {
		case RL_REACHED:
			if (is_tail(m, &lead, slot, link))
				return true;
			break;
		case RL_REACH_INSIDE:
			break;
		case RL_REACH_LOST:
			return false;
		}
	}
	return false;
}
