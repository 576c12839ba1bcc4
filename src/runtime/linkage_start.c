/* SPDX-License-Identifier: MIT */
/* linkage_start.c - links of a module that has not been looked at yet: from the cache or the index, to one commit. */
#include <stdlib.h>
#include <string.h>

#include "runtime/linkage.h"

#define LEARNED_ROOM 32768 /* links that can be learned; memory that is not used costs nothing */

/* The links of one module, behind all others: those that are bound at once, `waiting` for their slots to be filled, and left. */
struct batch {
	struct rl_link *links;
	size_t count, waiting, left;
};

/* What is needed for a module at a time, and not given back in between: memory that is fresh is dear. */
struct scratch {
	struct rl_link *links;          /* twice as many */
	struct rl_change_record *room;
	size_t capacity;
};

static bool has_room(struct scratch *s, size_t count)
{
	if (count <= s->capacity)
		return true;
	free(s->links);
	free(s->room);
	s->links = malloc(2 * count * sizeof(*s->links));
	s->room = malloc(count * sizeof(*s->room));
	s->capacity = s->links && s->room ? count : 0;
	return s->capacity;
}

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

#define AHEAD 8u

/* What is there. Nothing of it is in a cache of the processor's yet, neither calls nor where they lead: that is asked for in good time. */
static size_t find_links(struct rl_linked *m, const uint32_t *offsets, size_t count, struct rl_link *links)
{
	size_t found = 0;

	for (size_t i = 0; i < count; i++) {
		struct rl_linked_slot *slot;

		if (i + AHEAD < count)
			__builtin_prefetch((const void *)(m->text_start + offsets[i + AHEAD]));
		if (!rl_link_at(m, m->text_start + offsets[i], &links[found]))
			continue;
		slot = &rl_linkage.slots[links[found].slot];
		__builtin_prefetch((const void *)rl_slot_value(slot));
		slot->tails_known |= links[found].kind == RL_TAIL || links[found].kind == RL_POINTER_TAIL;
		found++;
	}
	return found;
}

/* From the file's order, which is that of who got hot first: when the budget is spent, the others stay. */
static void sort_out(struct rl_linked *m, const uint32_t *offsets, size_t count, struct batch *b, struct scratch *s)
{
	struct rl_link *waiting = s->links, *left = s->links + count, link;
	static uint32_t pass;

	pass++;
	count = find_links(m, offsets, count, b->links);
	for (size_t i = 0; i < count; i++) {
		link = b->links[i];
		if (!rl_linkage.slots[link.slot].asked && aim_once(&link, pass) && rl_link_afford(&link))
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

static int bind_batch(const struct batch *b, struct rl_change_record *room, bool unused, struct relink_error *err)
{
	struct rl_linkage_runtime *l = &rl_linkage;
	size_t all = b->count + b->waiting + b->left, from = l->link_count;
	struct rl_link_job job = { .links = b->links, .count = b->count, .room = room, .mode = RELINK_LIVE, .bind = true, .unused = unused };
	int r;

	l->link_count += all;
	r = rl_links_commit(&job, err);
	rl_links_left(job.links, all);
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

/* At the end of the list, from there on. */
static void bind_added(size_t from)
{
	static struct rl_change_record room[TOGETHER];
	size_t count = rl_linkage.link_count - from;

	rl_links_bind(rl_linkage.links + from, count, room);
	rl_links_left(rl_linkage.links + from, count);
}

static void bind_later(struct rl_linked *m)
{
	size_t from = rl_linkage.link_count;
	struct rl_hot_module hot;
	struct rl_link link;

	if (m->gone || m->why || !rl_hot_later(m, &hot))
		return;
	m->has_later = false;
	for (size_t i = 0; i < hot.count; i++) {
		if (hot.offsets[i] < RL_HOT_LATER || !rl_link_at(m, m->text_start + (hot.offsets[i] & ~RL_HOT_LATER), &link) ||
		    rl_linkage.slots[link.slot].asked)
			continue;
		link.later = true;
		if (!rl_link_add(&link))
			break;
		if (rl_linkage.link_count - from == TOGETHER) {
			bind_added(from);
			from = rl_linkage.link_count;
		}
	}
	bind_added(from);
}

void rl_links_bind_later(void)
{
	for (size_t i = 0; i < rl_linkage.module_count; i++)
		bind_later(rl_linkage.modules[i]);
}

#define PULSES 4u /* of all modules */

/* Of those that are bound later some: who sleeps has to be woken by calls that come, but not too often, and these do. */
static void find_pulse(const struct rl_linked *m)
{
	struct rl_hot_module hot;
	struct rl_link link;
	static size_t found;

	if (!rl_hot_later(m, &hot))
		return;
	for (size_t i = 0; i < hot.count && found < PULSES; i++)
		if (hot.offsets[i] >= RL_HOT_LATER && rl_link_at(m, m->text_start + (hot.offsets[i] & ~RL_HOT_LATER), &link)) {
			rl_linkage.slots[link.slot].pulse = true;
			found++;
		}
}

/* `unused`: nobody runs the module's code yet. */
static int bind_module(struct rl_linked *m, bool unused, struct scratch *s, struct relink_error *err)
{
	struct batch b = { .count = 0 };
	uint32_t *offsets;
	size_t count;
	int r = 0;

	if (m->why || !offsets_of(m, &offsets, &count))
		return 0;
	if (!rl_links_make_room(count) || !has_room(s, count)) {
		free(offsets);
		return rl_fail(err, RELINK_E_MEMORY, 0, "out of memory; calls of a module were left as they are");
	}
	b.links = rl_linkage.links + rl_linkage.link_count;
	sort_out(m, offsets, count, &b, s);
	find_pulse(m);
	free(offsets);
	if (b.count + b.waiting + b.left)
		r = bind_batch(&b, s->room, unused, err);
	return r;
}

/* The first failure is the one that is reported; what fails for one module is tried for the next. `unused`: nobody runs its code yet. */
int rl_links_bind_new(const struct rl_linked *unused, struct relink_error *err)
{
	struct scratch scratch = { .capacity = 0 };
	struct relink_error other;
	int first = 0;

	for (size_t i = 0; i < rl_linkage.module_count; i++) {
		struct rl_linked *m = rl_linkage.modules[i];
		int r = m->known || m->gone ? 0 : bind_module(m, m == unused, &scratch, first ? &other : err);

		m->known = true;
		first = first ? first : r;
	}
	free(scratch.links);
	free(scratch.room);
	return first;
}
