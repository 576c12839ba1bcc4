/* SPDX-License-Identifier: MIT */
/*
 * linkage_stubs.c - stubs: which slots they are for, and those that lead to the recorder themselves.
 *
 * Where a function's address is taken, too, calls go through a slot that anybody may read (RL_SLOT_DATA, .plt.got): the recorder's address
 * must not be seen there. So it is the stub that changes, to a jump to a pad of the recorder's, whose word is watched in the slot's
 * place. That takes a page per module, and happens before threads, or not at all; the word can be given back at any time.
 */
#include <stdlib.h>
#include <string.h>

#include "runtime/linkage.h"

#define PAGE 4096u
#define WORD 8u       /* stubs are aligned to as much */
#define STUB_SIZE 32u /* at most, for the port to look at */
#define USUAL 16u     /* bytes of a stub */
#define BESIDE 64u    /* what may lie between and before stubs that are none: .init, the way to the loader */

/* ---- which slot a stub is for ---- */

/* They stop where as many bytes are none as stubs for all slots would take (.plt, in front of .plt.sec). */
static size_t search_size(const struct rl_linked *m)
{
	return (m->count + 2) * USUAL + BESIDE;
}

static struct rl_linked_slot *slot_at(const struct rl_linked *m, uintptr_t address, size_t guess)
{
	return guess < m->count && rl_linkage.slots[m->first + guess].address == address ? &rl_linkage.slots[m->first + guess]
											 : rl_linked_slot(m, address);
}

static struct rl_linked_slot *look_at_stub(const struct rl_linked *m, uintptr_t stub, size_t guess)
{
	const struct rl_piece *piece = rl_view_code(&m->view, stub - m->bias);
	uint64_t left = piece ? piece->address + piece->size - (stub - m->bias) : 0, slot;

	if (!piece || !rl_runtime.core.port->plt_slot((const uint8_t *)stub, left < STUB_SIZE ? (size_t)left : STUB_SIZE, stub, &slot))
		return NULL;
	return slot_at(m, (uintptr_t)slot, guess);
}

/* Up to where stubs end. Returns how many words of the table say something. */
static size_t search(const struct rl_linked *m, uintptr_t start, uint16_t *stubs, size_t most)
{
	size_t guess = 0, last = 0;

	for (size_t i = 0; i < most && (i - last) * WORD < search_size(m) && start + i * WORD < m->text_stop; i++) {
		const struct rl_linked_slot *slot = start + i * WORD < m->text_start ? NULL : look_at_stub(m, start + i * WORD, guess);

		if (!slot)
			continue;
		guess = (size_t)(slot - rl_linkage.slots) - m->first + 1;
		stubs[i] = (uint16_t)guess;
		last = i + 1;
	}
	return last;
}

void rl_stubs_find(struct rl_linked *m)
{
	size_t most = 2 * search_size(m) / WORD;
	uintptr_t start = m->text_start & ~(uintptr_t)(WORD - 1), stop = (m->text_stop + WORD - 1) & ~(uintptr_t)(WORD - 1);

	if (m->why || !m->count || m->count >= UINT16_MAX || !(m->stubs = calloc(most, sizeof(*m->stubs))))
		return;
	m->stub_words = search(m, start, m->stubs, most);
	/* some linkers put them last */
	if (!m->stub_words && (stop - start) / WORD > most) {
		start = stop - search_size(m) / WORD * WORD;
		m->stub_words = search(m, start, m->stubs, most);
	}
	m->stubs_start = start;
}

struct rl_linked_slot *rl_slot_of_stub(const struct rl_linked *m, uintptr_t stub)
{
	size_t word = (stub - m->stubs_start) / WORD;

	if (stub >= m->stubs_start && word < m->stub_words && stub % WORD == 0 && m->stubs[word])
		return &rl_linkage.slots[m->first + m->stubs[word] - 1];
	return look_at_stub(m, stub, 0);
}

bool rl_is_stub(const struct rl_linked *m, uintptr_t jump)
{
	size_t word = (jump - m->stubs_start) / WORD;

	return jump >= m->stubs_start && word < m->stub_words && m->stubs[word];
}

uintptr_t rl_stub_of_slot(const struct rl_linked *m, const struct rl_linked_slot *slot)
{
	size_t number = (size_t)(slot - rl_linkage.slots) - m->first + 1;

	for (size_t i = 0; i < m->stub_words; i++)
		if (m->stubs[i] == number)
			return m->stubs_start + i * WORD;
	return 0;
}

/* ---- stubs that lead to the recorder ---- */

/* The jump in it. */
static bool find_jump(const struct rl_linked *m, uintptr_t stub, struct rl_link *link)
{
	for (uintptr_t at = stub; at < stub + WORD; at++)
		if (rl_link_at(m, at, link) && link->kind == RL_POINTER_TAIL && rl_linkage.slots[link->slot].kind == RL_SLOT_DATA)
			return true;
	return false;
}

/* Pages that are spent on learning are lacking when something has been learned. */
#define SHARE 8u

static bool is_affordable(const struct rl_link *link)
{
	return rl_link_is_free(link) || (rl_linkage.pages + 2) * PAGE * SHARE <= rl_linkage.options.budget;
}

/* Every module has a stub for the first, which is called once, at the end. */
static bool is_worth_while(const struct rl_linked *m, const struct rl_linked_slot *slot)
{
	uint8_t state;
	uintptr_t target;

	if (slot->kind != RL_SLOT_DATA || slot->watch || slot->asked || !strcmp(slot->name, "__cxa_finalize"))
		return false;
	target = rl_slot_target(slot, &state);
	return target && rl_is_near(m, target);
}

static struct rl_link *free_pad(void)
{
	struct rl_linkage_runtime *l = &rl_linkage;

	for (size_t i = 0; i < l->stub_count; i++)
		if (!l->stubs[i].address)
			return &l->stubs[i];
	return l->stubs && l->stub_count < RL_PADS ? &l->stubs[l->stub_count++] : NULL;
}

/* The word first: the stub may lead there as soon as it is written. */
static bool watch_stub(const struct rl_linked *m, uintptr_t stub, struct rl_linked_slot *slot, struct rl_link *place)
{
	unsigned pad = (unsigned)(place - rl_linkage.stubs);
	struct rl_link link;
	struct rl_watch *w;

	if (!find_jump(m, stub, &link))
		return false;
	link.target = rl_pad_code(pad);
	if (!is_affordable(&link) || !rl_link_afford(&link) || !(w = rl_watch_add((uintptr_t)rl_pad_word(pad), rl_slot_value(slot), true)))
		return false;
	w->through = (const uintptr_t *)slot->address;
	rl_watch_begin(slot, w);
	__atomic_store_n(rl_pad_word(pad), rl_watch_entry(w), __ATOMIC_RELEASE);
	*place = link;
	return true;
}

static void watch_stubs_of(struct rl_linked *m)
{
	for (size_t i = 0; i < m->stub_words; i++) {
		struct rl_linked_slot *slot = m->stubs[i] ? &rl_linkage.slots[m->first + m->stubs[i] - 1] : NULL;
		struct rl_link *place;

		if (!slot || !is_worth_while(m, slot))
			continue;
		place = free_pad();
		if (!place)
			return;
		if (!watch_stub(m, m->stubs_start + i * WORD, slot, place))
			*place = (struct rl_link){ .address = 0 };
	}
}

/* Those that could not be changed, since threads run: nobody comes by them. */
static void settle(size_t from)
{
	struct rl_linkage_runtime *l = &rl_linkage;

	for (size_t i = from; i < l->stub_count; i++)
		if (l->stubs[i].address && l->stubs[i].state != RELINK_LINK_BOUND)
			l->slots[l->stubs[i].slot].watch->state = RL_WATCH_OFF;
}

#define TOGETHER 32u

/* Recorder's work may do this: no memory is asked for. */
static void commit(bool (*wanted)(const struct rl_link *link), bool bind, int mode)
{
	struct rl_linkage_runtime *l = &rl_linkage;
	struct rl_change_record room[TOGETHER];
	struct rl_link links[TOGETHER];
	struct rl_link_job job = { .links = links, .room = room, .mode = mode, .bind = bind };
	size_t at[TOGETHER];

	for (size_t i = 0; i < l->stub_count;) {
		for (job.count = 0; i < l->stub_count && job.count < TOGETHER; i++)
			if (l->stubs[i].address && wanted(&l->stubs[i])) {
				links[job.count] = l->stubs[i];
				at[job.count++] = i;
			}
		if (job.count)
			rl_links_commit(&job, NULL);
		for (size_t k = 0; k < job.count; k++)
			l->stubs[at[k]] = links[k];
	}
}

static bool is_new(const struct rl_link *link)
{
	return link->state == RELINK_LINK_HOME && rl_linkage.slots[link->slot].watch->state == RL_WATCH_ON;
}

void rl_stubs_make_room(void)
{
	if (!rl_linkage.stubs)
		rl_linkage.stubs = calloc(RL_PADS, sizeof(*rl_linkage.stubs));
}

void rl_stubs_watch(void)
{
	struct rl_linkage_runtime *l = &rl_linkage;
	bool any = false;

	for (size_t i = 0; i < l->module_count; i++) {
		struct rl_linked *m = l->modules[i];

		if (m->gone || m->why || m->stubs_done || rl_linkage_sleeps(m))
			continue;
		m->stubs_done = any = true;
		watch_stubs_of(m);
	}
	if (!any)
		return;
	commit(is_new, true, RELINK_LIVE);
	settle(0);
}

static bool is_given_back(const struct rl_link *link)
{
	return link->state == RELINK_LINK_BOUND && !rl_linkage.modules[link->module]->gone &&
	       rl_linkage.slots[link->slot].watch->state == RL_WATCH_OFF;
}

void rl_stubs_lead_home(int mode)
{
	commit(is_given_back, false, mode);
}

bool rl_stubs_are_home(void)
{
	for (size_t i = 0; i < rl_linkage.stub_count; i++) {
		const struct rl_link *link = &rl_linkage.stubs[i];

		if (link->address && is_given_back(link) && rl_linkage.modules[link->module]->why)
			return false;
	}
	return true;
}

void rl_stubs_follow(void)
{
	for (size_t i = 0; i < rl_linkage.stub_count; i++)
		if (rl_linkage.stubs[i].address && is_given_back(&rl_linkage.stubs[i]))
			__atomic_store_n(rl_pad_word((unsigned)i), rl_slot_value(&rl_linkage.slots[rl_linkage.stubs[i].slot]), __ATOMIC_RELEASE);
}
