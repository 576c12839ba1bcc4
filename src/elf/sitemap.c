/* SPDX-License-Identifier: MIT */
/*
 * sitemap.c - see sitemap.h.
 *
 * The code is gone through twice, by the port's quick search: once for whatever leads to a slot, which yields the stubs and the slots
 * that are read, then for what leads to a stub or slot. Only functions with something that looks like a site are decoded, each once,
 * up to the last such place: functions come by ascending address, whatever the tables say, so that the work is bounded by the
 * size of the code.
 */
#include "elf/sitemap.h"

#include <elf.h>
#include <string.h>

enum {
	STUBS_PER_SLOT = 2,
	STUB_ALIGNMENT = 8,
	STUB_USUAL = 16,  /* the distance of most */
	STUB_REACH = 24,  /* bytes from the start of a stub within which its operand is */
	BEYOND = 4,       /* bytes that an instruction may have behind its operand */
	SYMBOLS_LOOKED_AT = 1 << 25, /* in all; tables that need more are none that a linker made */
};

/* ---- slots ---- */

static int count_slot(const struct rl_slot *slot, void *ctx)
{
	(void)slot;
	++*(size_t *)ctx;
	return 0;
}

size_t rl_sitemap_size(const struct rl_view *view, const struct rl_port *port)
{
	size_t count = 0;

	rl_each_slot(view, port->machine, count_slot, &count);
	return count * (sizeof(struct rl_sitemap_slot) + STUBS_PER_SLOT * sizeof(struct rl_stub));
}

struct adding {
	struct rl_sitemap *map;
	size_t room;
};

/* A loaded module's tables may have changed since they were counted. */
static int add_slot(const struct rl_slot *slot, void *ctx)
{
	struct adding *a = ctx;

	if (a->map->slot_count == a->room)
		return 1;
	a->map->slots[a->map->slot_count++] = (struct rl_sitemap_slot){ *slot, false };
	return 0;
}

/* Sorting in place, without a callback and without recursion: heapsort. */
static void sink(struct rl_sitemap_slot *slots, size_t at, size_t count)
{
	struct rl_sitemap_slot moved = slots[at];

	for (size_t child; (child = 2 * at + 1) < count; at = child) {
		if (child + 1 < count && slots[child + 1].slot.address > slots[child].slot.address)
			child++;
		if (slots[child].slot.address <= moved.slot.address)
			break;
		slots[at] = slots[child];
	}
	slots[at] = moved;
}

static void sort_slots(struct rl_sitemap_slot *slots, size_t count)
{
	for (size_t i = count / 2; i--;)
		sink(slots, i, count);
	for (size_t last = count; last-- > 1;) {
		struct rl_sitemap_slot largest = slots[0];

		slots[0] = slots[last];
		slots[last] = largest;
		sink(slots, 0, last);
	}
}

/* Two relocations of one word: the loader's second one wins, and what it would be is not ours to say. */
static void drop_twins(struct rl_sitemap *l)
{
	size_t kept = 0;

	for (size_t i = 0; i < l->slot_count;) {
		size_t next = i + 1;

		while (next < l->slot_count && l->slots[next].slot.address == l->slots[i].slot.address)
			next++;
		if (next == i + 1)
			l->slots[kept++] = l->slots[i];
		i = next;
	}
	l->slot_count = kept;
}

/* The number of the first slot at or behind an address. */
static size_t find_slot(const struct rl_sitemap *l, uint64_t address)
{
	size_t low = 0, high = l->slot_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (l->slots[middle].slot.address < address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct rl_sitemap_slot *rl_sitemap_slot(const struct rl_sitemap *l, uint64_t address)
{
	size_t i = find_slot(l, address);

	return i < l->slot_count && l->slots[i].slot.address == address ? &l->slots[i] : NULL;
}

static struct rl_area area_of_slots(const struct rl_sitemap *l)
{
	uint64_t first;

	if (!l->slot_count)
		return (struct rl_area){ 0, 0 };
	first = l->slots[0].slot.address - BEYOND;
	return (struct rl_area){ first, l->slots[l->slot_count - 1].slot.address - first + 1 };
}

/* ---- stubs ---- */

/* The number of the first stub at or behind an address. */
static size_t find_stub(const struct rl_sitemap *l, uint64_t address)
{
	size_t low = 0, high = l->stub_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (l->stubs[middle].address < address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct rl_stub *rl_sitemap_stub(const struct rl_sitemap *l, uint64_t address)
{
	uint64_t guess = l->stub_count ? (address - l->stubs[0].address) / STUB_USUAL : 0;
	size_t i = guess < l->stub_count && l->stubs[guess].address == address ? (size_t)guess : find_stub(l, address);

	return i < l->stub_count && l->stubs[i].address == address ? &l->stubs[i] : NULL;
}

static struct rl_area area_of_stubs(const struct rl_sitemap *l)
{
	uint64_t first = l->stub_count ? l->stubs[0].address : 0;

	return (struct rl_area){ first, l->stub_count ? l->stubs[l->stub_count - 1].address - first + 1 : 0 };
}

/* The slot that code at an address jumps through, as stubs do; NULL: it is no stub. */
static const struct rl_sitemap_slot *stub_slot(const struct rl_sitemap *l, const struct rl_piece *piece, uint64_t address)
{
	uint64_t offset = address - piece->address, slot;

	if (offset >= piece->size || !l->port->plt_slot(piece->bytes + offset, (size_t)(piece->size - offset), address, &slot))
		return NULL;
	return rl_sitemap_slot(l, slot);
}

/* Stubs at equal distances from the start on, but for what may be at either end: the way to the loader, and that of descriptors. */
static bool is_row_of_stubs(const struct rl_sitemap *l, const struct rl_piece *piece, uint64_t start, uint64_t stop, uint64_t stride)
{
	uint64_t first = stub_slot(l, piece, start) ? start : start + stride, last = stop - stride;

	if ((stop - start) % stride || !stub_slot(l, piece, first))
		return false;
	for (uint64_t at = first; at < last; at += stride)
		if (!stub_slot(l, piece, at))
			return false;
	return true;
}

struct search {
	struct rl_sitemap *map;
	const struct rl_piece *piece;
	uint64_t start, stop; /* the last function that was asked about */
	bool row;             /* it is stubs */
	struct decoding { uint64_t start, stop; size_t at; } code; /* the last function that was decoded, and how far */
};

/*
 * Linkers give a row of stubs one frame, or none. What stands within another function is that function's jump, even where it
 * is aligned as stubs are.
 */
static bool may_be_stub(struct search *s, uint64_t address)
{
	if (address - s->start < s->stop - s->start)
		return s->row;
	if (!rl_functions_frame(&s->map->functions, address, &s->start, &s->stop)) {
		s->start = s->stop = 0;
		return true;
	}
	s->row = s->start % STUB_ALIGNMENT == 0 && (s->stop - s->start) % STUB_ALIGNMENT == 0 &&
		 (is_row_of_stubs(s->map, s->piece, s->start, s->stop, 16) ||
		  is_row_of_stubs(s->map, s->piece, s->start, s->stop, 8));
	return s->row;
}

/* Is the operand at `field`, which leads to `slot`, part of a stub? */
static bool take_stub(struct search *s, uint64_t field, const struct rl_sitemap_slot *slot)
{
	struct rl_sitemap *l = s->map;
	uint64_t first = field - STUB_REACH < field ? field - STUB_REACH : 0;

	for (uint64_t at = field & -(uint64_t)STUB_ALIGNMENT; at > first && at >= s->piece->address; at -= STUB_ALIGNMENT) {
		if (l->stub_count && at <= l->stubs[l->stub_count - 1].address)
			return at == l->stubs[l->stub_count - 1].address && stub_slot(l, s->piece, at) == slot;
		if (stub_slot(l, s->piece, at) != slot || !may_be_stub(s, at))
			continue;
		if (l->stub_count < l->stub_room)
			l->stubs[l->stub_count++] = (struct rl_stub){ at, (size_t)(slot - l->slots) };
		return true;
	}
	return false;
}

/*
 * Is there an instruction that has its operand here, as far as can be known? Who sees one too many loses little. Functions are decoded
 * by ascending address, or not at all, so that each is decoded once.
 */
static bool may_be_operand(struct search *s, size_t field, uint64_t slot)
{
	const struct rl_piece *piece = s->piece;
	uint64_t address = piece->address + field, start, stop;
	struct rl_lead lead;

	if (address - s->code.start >= s->code.stop - s->code.start) {
		if (!rl_functions_frame(&s->map->functions, address, &start, &stop) || start < s->code.stop || start < piece->address ||
		    stop - piece->address > piece->size)
			return true;
		s->code = (struct decoding){ start, stop, (size_t)(start - piece->address) };
	}
	switch (s->map->port->reach(piece->bytes, (size_t)(s->code.stop - piece->address), piece->address, &s->code.at, field, &lead)) {
	case RL_REACHED:
		return lead.kind == RL_POINTER_USE && lead.target == slot;
	case RL_REACH_INSIDE:
		return false;
	case RL_REACH_LOST:
		break;
	}
	return true;
}

static void look_at_operand(struct search *s, size_t field, uint64_t target)
{
	struct rl_sitemap *l = s->map;
	size_t i = find_slot(l, target);
	struct rl_sitemap_slot *slot = &l->slots[i];
	uint64_t beyond;
	enum rl_kind kind;

	if (i == l->slot_count)
		return;
	beyond = slot->slot.address - target;
	kind = beyond <= BEYOND ? l->port->looks_like(s->piece->bytes, (size_t)s->piece->size, field, (size_t)beyond) : RL_KINDS;
	if (kind != RL_POINTER_TAIL && kind != RL_POINTER_USE)
		return;
	if (take_stub(s, s->piece->address + field, slot) || kind == RL_POINTER_TAIL)
		return;
	if (slot->slot.kind == RL_SLOT_JUMP && !slot->read)
		slot->read = may_be_operand(s, field, slot->slot.address);
}

static void search_stubs(struct rl_sitemap *l, const struct rl_piece *piece)
{
	const struct rl_area areas[2] = { area_of_slots(l), { 0, 0 } };
	struct search s = { .map = l, .piece = piece };
	size_t count = (size_t)piece->size, at = 0;
	uint64_t target;

	for (; (at = l->port->seek(piece->bytes, count, at, piece->address, areas, &target)) < count; at++)
		look_at_operand(&s, at, target);
}

void rl_sitemap_open(struct rl_sitemap *l, const struct rl_view *view, const struct rl_port *port, void *memory, size_t size)
{
	size_t room = size / (sizeof(struct rl_sitemap_slot) + STUBS_PER_SLOT * sizeof(struct rl_stub));

	*l = (struct rl_sitemap){ .view = view, .port = port, .slots = memory };
	rl_functions_open(&l->functions, view);
	if (!room)
		return;
	l->stubs = (struct rl_stub *)(void *)(l->slots + room);
	l->stub_room = room * STUBS_PER_SLOT;
	rl_each_slot(view, port->machine, add_slot, &(struct adding){ l, room });
	sort_slots(l->slots, l->slot_count);
	drop_twins(l);
	for (size_t i = 0; i < view->count && l->slot_count; i++)
		if (view->pieces[i].flags & PF_X)
			search_stubs(l, &view->pieces[i]);
}

/* ---- sites ---- */

struct walk {
	const struct rl_sitemap *map;
	rl_sitemap_visitor *visit;
	void *ctx;
	struct rl_sitemap_counts counts;
	const struct rl_piece *piece;
	uint64_t start, stop;  /* the current function; what is below `stop` is over */
	uint64_t nothing;      /* no symbol begins from `stop` up to here */
	size_t at;             /* offset in the piece up to which the function is decoded */
	bool lost;
	size_t symbols_looked_at;
};

/* Does an operand look like that of a site? */
static bool looks_like_site(const struct rl_sitemap *l, enum rl_kind kind, uint64_t target)
{
	switch (kind) {
	case RL_CALL:
	case RL_TAIL:
	case RL_JCC:
		return rl_sitemap_stub(l, target) != NULL;
	case RL_POINTER_CALL:
	case RL_POINTER_TAIL:
		return rl_sitemap_slot(l, target) != NULL;
	default:
		return false;
	}
}

static bool describe_site(const struct rl_sitemap *l, const struct rl_lead *lead, struct rl_sitemap_site *site)
{
	const struct rl_stub *stub;

	*site = (struct rl_sitemap_site){ .kind = lead->kind, .address = lead->address, .home = lead->target };
	if (lead->kind == RL_CALL || lead->kind == RL_TAIL) {
		stub = rl_sitemap_stub(l, lead->target);
		site->slot = stub ? &l->slots[stub->slot] : NULL;
	} else if ((lead->kind == RL_POINTER_CALL || lead->kind == RL_POINTER_TAIL) && !lead->fixed) {
		site->slot = rl_sitemap_slot(l, lead->target);
	}
	return site->slot != NULL;
}

/* Stubs themselves are no functions. */
static bool holds_stubs(const struct rl_sitemap *l, uint64_t start, uint64_t stop)
{
	size_t i = find_stub(l, start);

	return i < l->stub_count && l->stubs[i].address < stop;
}

static bool find_by_symbol(struct walk *w, uint64_t address, uint64_t *start, uint64_t *stop)
{
	if (address < w->nothing || w->symbols_looked_at > SYMBOLS_LOOKED_AT)
		return false;
	w->symbols_looked_at += w->map->functions.symbol_count;
	if (rl_functions_symbol(&w->map->functions, address, start, stop))
		return true;
	w->nothing = *start;
	return false;
}

/* Makes the function that holds an address the current one. Functions come by ascending address, or not at all. */
static bool enter_function(struct walk *w, uint64_t address)
{
	const struct rl_piece *piece = w->piece;
	uint64_t start, stop;

	if (address - w->start < w->stop - w->start)
		return true;
	if (!rl_functions_frame(&w->map->functions, address, &start, &stop) && !find_by_symbol(w, address, &start, &stop))
		return false;
	if (start < w->stop || start < piece->address || stop - piece->address > piece->size)
		return false;
	w->start = start;
	w->stop = stop;
	w->at = (size_t)(start - piece->address);
	w->lost = holds_stubs(w->map, start, stop);
	return true;
}

static int count_site(struct walk *w, const struct rl_lead *lead)
{
	struct rl_sitemap_site site;

	if (!describe_site(w->map, lead, &site)) {
		w->counts.left++;
		return 0;
	}
	w->counts.sites[site.kind]++;
	return w->visit(&site, w->ctx);
}

/* Something at `field` looks like a site. */
static int look_at_site(struct walk *w, size_t field)
{
	const struct rl_piece *piece = w->piece;
	struct rl_lead lead;

	if (!enter_function(w, piece->address + field)) {
		w->counts.outside += !holds_stubs(w->map, piece->address + field - STUB_REACH, piece->address + field);
		return 0;
	}
	if (w->lost)
		return 0;
	switch (w->map->port->reach(piece->bytes, (size_t)(w->stop - piece->address), piece->address, &w->at, field, &lead)) {
	case RL_REACHED:
		return count_site(w, &lead);
	case RL_REACH_INSIDE: /* `89 e9 e9 ..`, a mov in front of a jump, looks like a jump one byte earlier, which may lead to a stub, too */
		break;
	case RL_REACH_LOST:
		w->lost = true;
		w->counts.lost++;
	}
	return 0;
}

/* From one offset in the piece to another. */
static int walk_code(struct walk *w, size_t from, size_t to)
{
	const struct rl_sitemap *l = w->map;
	const struct rl_piece *piece = w->piece;
	const struct rl_area areas[2] = { area_of_stubs(l), area_of_slots(l) };
	uint64_t target;
	int r = 0;

	for (size_t at = from; !r && (at = l->port->seek(piece->bytes, to, at, piece->address, areas, &target)) < to; at++)
		if (looks_like_site(l, l->port->looks_like(piece->bytes, to, at, 0), target))
			r = look_at_site(w, at);
	return r;
}

static int ignore(const struct rl_sitemap_site *site, void *ctx)
{
	(void)site, (void)ctx;
	return 0;
}

int rl_sitemap_each(const struct rl_sitemap *l, rl_sitemap_visitor *visit, void *ctx, struct rl_sitemap_counts *counts)
{
	struct walk w = { .map = l, .visit = visit ? visit : ignore, .ctx = ctx };
	int r = 0;

	for (size_t i = 0; i < l->view->count && l->slot_count && !r; i++) {
		w.piece = &l->view->pieces[i];
		if (w.piece->flags & PF_X)
			r = walk_code(&w, 0, (size_t)w.piece->size);
	}
	if (counts)
		*counts = w.counts;
	return r;
}

/* ---- single places ---- */

bool rl_sitemap_at(const struct rl_sitemap *l, uint64_t address, struct rl_sitemap_site *site)
{
	const struct rl_area areas[2] = { area_of_stubs(l), area_of_slots(l) };
	const struct rl_piece *piece = rl_view_code(l->view, address);
	size_t offset, count, field, at;
	struct rl_lead lead;
	uint64_t target;

	if (!piece)
		return false;
	offset = (size_t)(address - piece->address);
	count = piece->size - offset < RL_SITE_MAX ? (size_t)(piece->size - offset) : RL_SITE_MAX;
	for (field = 0; (field = l->port->seek(piece->bytes + offset, count, field, address, areas, &target)) < count; field++) {
		at = 0;
		if (l->port->reach(piece->bytes + offset, count, address, &at, field, &lead) == RL_REACHED && !at && lead.address == address)
			return describe_site(l, &lead, site);
	}
	return false;
}

bool rl_sitemap_function(const struct rl_sitemap *l, uint64_t address, uint64_t *start, uint64_t *stop)
{
	return rl_functions_frame(&l->functions, address, start, stop) || rl_functions_symbol(&l->functions, address, start, stop);
}

struct tails {
	uint64_t slot;
	struct rl_sitemap_site *sites;
	size_t count, room;
};

static int add_tail(const struct rl_sitemap_site *site, void *ctx)
{
	struct tails *t = ctx;

	if (site->slot->slot.address != t->slot || (site->kind != RL_TAIL && site->kind != RL_POINTER_TAIL))
		return 0;
	if (t->count < t->room)
		t->sites[t->count] = *site;
	t->count++;
	return 0;
}

size_t rl_sitemap_tails(const struct rl_sitemap *l, uint64_t start, uint64_t stop, uint64_t slot, struct rl_sitemap_site *sites, size_t room)
{
	struct tails tails = { slot, sites, 0, room };
	struct walk w = { .map = l, .visit = add_tail, .ctx = &tails, .start = start, .stop = stop };

	w.piece = rl_view_code(l->view, start);
	if (!w.piece || stop < start || stop - w.piece->address > w.piece->size)
		return 0;
	w.at = (size_t)(start - w.piece->address);
	walk_code(&w, w.at, (size_t)(stop - w.piece->address));
	return tails.count;
}
