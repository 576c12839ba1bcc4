/* SPDX-License-Identifier: MIT */
/*
 * linkage_gone.c - the room of modules that have gone: a program may load and unload its plugins for years.
 *
 * Lists are closed up, so whoever calls this has no index or pointer of them yet. All that is asked for modules and slots stays in the
 * order in which it came.
 */
#include <stdlib.h>
#include <string.h>

#include "runtime/linkage.h"

/* Where modules and their slots will be. */
static uint16_t places[RL_LINKED_MAX];
static size_t moved[RL_LINKED_MAX];

static bool plan(void)
{
	size_t modules = 0, slots = 0;

	for (size_t i = 0; i < rl_linkage.module_count; i++) {
		const struct rl_linked *m = rl_linkage.modules[i];

		if (m->gone)
			continue;
		places[i] = (uint16_t)modules++;
		moved[i] = m->first - slots;
		slots += m->count;
	}
	return modules < rl_linkage.module_count;
}

/* Slots still are where they were: they know which links wait for them. */
static void move_links(void)
{
	struct rl_linkage_runtime *l = &rl_linkage;
	size_t kept = 0;

	for (size_t i = 0; i < l->link_count; i++) {
		struct rl_link link = l->links[i];

		if (l->modules[link.module]->gone)
			continue;
		if (l->slots[link.slot].count && l->slots[link.slot].first == i)
			l->slots[link.slot].first = (uint32_t)kept;
		link.slot -= (uint32_t)moved[link.module];
		link.module = places[link.module];
		l->links[kept++] = link;
	}
	l->link_count = kept;
}

/* Their number is that of a pad. */
static void move_stubs(void)
{
	for (size_t i = 0; i < rl_linkage.stub_count; i++) {
		struct rl_link *link = &rl_linkage.stubs[i];

		if (!link->address)
			continue;
		if (rl_linkage.modules[link->module]->gone) {
			*link = (struct rl_link){ .address = 0 };
			continue;
		}
		link->slot -= (uint32_t)moved[link->module];
		link->module = places[link->module];
	}
}

static void move_slots(const struct rl_linked *m, size_t index)
{
	struct rl_linked_slot *to = rl_linkage.slots + m->first - moved[index];

	memmove(to, rl_linkage.slots + m->first, m->count * sizeof(*to));
	for (size_t i = 0; i < m->count; i++) {
		to[i].module = places[index];
		if (to[i].watch)
			to[i].watch->index = (uint32_t)(to + i - rl_linkage.slots);
	}
}

static void drop_watches(const struct rl_linked *m)
{
	for (size_t i = m->first; i < m->first + m->count; i++)
		if (rl_linkage.slots[i].watch)
			rl_watch_drop(rl_linkage.slots[i].watch);
}

static void forget(struct rl_linked *m)
{
	rl_forget_tails(m);
	free(m->stubs);
	free(m->private_pages);
	free(m->path);
	free(m);
}

void rl_linkage_tidy(void)
{
	struct rl_linkage_runtime *l = &rl_linkage;
	size_t modules = 0, slots = 0;

	if (!plan())
		return;
	for (size_t i = 0; i < l->module_count; i++)
		if (l->modules[i]->gone)
			drop_watches(l->modules[i]);
	rl_recorder_sweep();
	move_links();
	move_stubs();
	for (size_t i = 0; i < l->module_count; i++) {
		struct rl_linked *m = l->modules[i];

		if (m->gone) {
			forget(m);
			continue;
		}
		move_slots(m, i);
		m->first -= moved[i];
		slots = m->first + m->count;
		l->modules[modules++] = m;
	}
	l->module_count = modules;
	l->slot_count = slots;
}
