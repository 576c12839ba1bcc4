/* SPDX-License-Identifier: MIT */
/* linkage_start.c - links of a module that has not been looked at yet: from the cache or the index, to one commit. */
#include <stdlib.h>
#include <string.h>

#include "runtime/linkage.h"

#define LEARNED_ROOM 32768 /* links that can be learned; memory that is not used costs nothing */

struct batch {
	struct rl_link *links;
	size_t count;    /* that are bound at once */
	size_t waiting;  /* behind these: their slots are not filled yet */
	size_t left;     /* behind those: they can't be bound, and know why, or not yet */
};

static int by_address(const void *a, const void *b)
{
	const struct rl_link *x = a, *y = b;

	return x->address < y->address ? -1 : x->address > y->address;
}

static int by_slot(const void *a, const void *b)
{
	const struct rl_link *x = a, *y = b;

	return x->slot < y->slot ? -1 : x->slot > y->slot;
}

/* Many calls go through one slot. */
static bool aim_once(struct rl_link *link, uint32_t pass)
{
	struct rl_linked_slot *slot = &rl_linkage.slots[link->slot];

	if (slot->stamp != pass) {
		slot->aimed = rl_slot_target(slot, &slot->aim_state);
		slot->stamp = pass;
	}
	link->target = slot->aimed;
	if (!slot->aimed)
		link->state = slot->aim_state;
	return slot->aimed != 0;
}

static bool ascends(const struct rl_link *links, size_t count)
{
	for (size_t i = 1; i < count; i++)
		if (links[i - 1].address > links[i].address)
			return false;
	return true;
}

/* From the file's order, which is that of who got hot first: when the budget is spent, the others stay. */
static bool sort_out(struct rl_linked *m, const uint32_t *offsets, size_t count, struct batch *b)
{
	struct rl_link *waiting = calloc(2 * count + 1, sizeof(*waiting)), *left = waiting + count;
	static uint32_t pass;
	struct rl_link link;

	pass++;
	b->links = calloc(count + 1, sizeof(*b->links));
	if (!b->links || !waiting) {
		free(waiting);
		return false;
	}
	for (size_t i = 0; i < count; i++) {
		if (!rl_link_at(m, m->text_start + (offsets[i] & ~RL_HOT_LATER), &link))
			continue;
		link.later = offsets[i] >= RL_HOT_LATER;
		rl_linkage.slots[link.slot].tails_known |= link.kind == RL_TAIL || link.kind == RL_POINTER_TAIL;
		if (link.later && rl_linkage_sleeps(m) && rl_linkage_learns())
			left[b->left++] = link;
		else if (!rl_linkage.slots[link.slot].asked && aim_once(&link, pass) && rl_link_afford(&link))
			b->links[b->count++] = link;
		else if (link.state == RELINK_LINK_LAZY)
			waiting[b->waiting++] = link;
		else
			left[b->left++] = link;
	}
	if (!ascends(b->links, b->count))
		qsort(b->links, b->count, sizeof(link), by_address);
	qsort(waiting, b->waiting, sizeof(link), by_slot);
	memcpy(b->links + b->count, waiting, b->waiting * sizeof(link));
	memcpy(b->links + b->count + b->waiting, left, b->left * sizeof(link));
	free(waiting);
	return true;
}

bool rl_links_make_room(size_t more)
{
	struct rl_linkage_runtime *l = &rl_linkage;
	size_t capacity = l->link_count + more + LEARNED_ROOM;
	struct rl_link *grown;

	if (l->link_count + more + LEARNED_ROOM / 2 <= l->link_capacity)
		return true;
	grown = calloc(capacity, sizeof(*grown));
	if (!grown)
		return false;
	memcpy(grown, l->links, l->link_count * sizeof(*grown));
	free(l->links);
	l->links = grown;
	l->link_capacity = capacity;
	return true;
}

/* Tells slots which links wait for them. */
static bool note_waiting(size_t from, size_t count)
{
	struct rl_linkage_runtime *l = &rl_linkage;
	size_t most = l->room_count;

	for (size_t i = from; i < from + count; i++) {
		struct rl_linked_slot *slot = &l->slots[l->links[i].slot];

		if (!slot->count++)
			slot->first = (uint32_t)i;
		most = slot->count > most ? slot->count : most;
	}
	if (most == l->room_count)
		return true;
	free(l->room);
	l->room = calloc(most, sizeof(*l->room));
	l->room_count = l->room ? most : 0;
	return l->room;
}

static int add_batch(const struct batch *b, bool unused, struct relink_error *err)
{
	struct rl_linkage_runtime *l = &rl_linkage;
	size_t all = b->count + b->waiting + b->left, from = l->link_count;
	struct rl_link_job job = { .count = b->count, .mode = RELINK_LIVE, .bind = true, .unused = unused };
	int r;

	if (!rl_links_make_room(all) || !(job.room = calloc(b->count + 1, sizeof(*job.room))))
		return rl_fail(err, RELINK_E_MEMORY, 0, "out of memory; calls of a module were left as they are");
	memcpy(l->links + from, b->links, all * sizeof(*l->links));
	l->link_count += all;
	job.links = l->links + from;
	r = rl_links_commit(&job, err);
	rl_links_left(job.links, all);
	free(job.room);
	if (!note_waiting(from + b->count, b->waiting))
		return rl_fail(err, RELINK_E_MEMORY, 0, "out of memory; calls of a module were left as they are");
	return r;
}

static bool offsets_of(struct rl_linked *m, uint32_t **offsets, size_t *count)
{
	switch (rl_linkage.options.policy) {
	case RELINK_LINKAGE_ALL:
		return rl_all_load(m, offsets, count);
	case RELINK_LINKAGE_LEARN:
		return false;
	}
	m->warm = rl_hot_load(m, offsets, count);
	/* That nothing in it is hot is worth knowing, too; but not of a program that nothing could be learned of where it lies. */
	m->news |= !m->warm && rl_is_near(m, (uintptr_t)&rl_linkage);
	return m->warm;
}

#define TOGETHER 512u

static bool is_waiting(const struct rl_link *link)
{
	return link->state == RELINK_LINK_HOME && !rl_linkage.modules[link->module]->gone &&
	       !rl_linkage.modules[link->module]->why && !rl_linkage.slots[link->slot].asked;
}

void rl_links_bind_later(void)
{
	static struct rl_change_record room[TOGETHER];
	struct rl_linkage_runtime *l = &rl_linkage;

	for (size_t i = 0, stop; i < l->link_count; i = stop + 1) {
		for (stop = i; stop < l->link_count && stop - i < TOGETHER && is_waiting(&l->links[stop]); stop++)
			;
		if (stop == i)
			continue;
		rl_links_bind(&l->links[i], stop - i, room);
		for (size_t k = i; k < stop; k++)
			l->slots[l->links[k].slot].left -= l->links[k].state == RELINK_LINK_BOUND;
		stop -= stop - i == TOGETHER;
	}
}

/* `unused`: nobody runs the module's code yet. */
static int bind_module(struct rl_linked *m, bool unused, struct relink_error *err)
{
	struct batch b = { 0 };
	uint32_t *offsets;
	size_t count;
	int r;

	if (m->why || !offsets_of(m, &offsets, &count))
		return 0;
	if (sort_out(m, offsets, count, &b))
		r = b.count + b.waiting + b.left ? add_batch(&b, unused, err) : 0;
	else
		r = rl_fail(err, RELINK_E_MEMORY, 0, "out of memory; calls of a module were left as they are");
	free(offsets);
	free(b.links);
	return r;
}

/* The first failure is the one that is reported; what fails for one module is tried for the next. `unused`: nobody runs its code yet. */
int rl_links_bind_new(const struct rl_linked *unused, struct relink_error *err)
{
	struct relink_error other;
	int first = 0;

	for (size_t i = 0; i < rl_linkage.module_count; i++) {
		struct rl_linked *m = rl_linkage.modules[i];
		int r = m->known || m->gone ? 0 : bind_module(m, m == unused, first ? &other : err);

		m->known = true;
		first = first ? first : r;
	}
	return first;
}
