/* SPDX-License-Identifier: MIT */
/* linkage_bind.c - from an address to a link, from links to commits. The recorder calls all of it. */
#include "runtime/linkage.h"

#define PAGE 4096u

bool rl_link_at(const struct rl_linked *module, uintptr_t address, struct rl_link *link)
{
	const struct rl_piece *piece = rl_view_code(&module->view, address - module->bias);
	uint64_t left = piece ? piece->address + piece->size - (address - module->bias) : 0;
	struct rl_linked_slot *slot;
	struct rl_found found;

	if (!piece ||
	    !rl_runtime.core.port->call_at((const uint8_t *)address, left < RL_SITE_MAX ? (size_t)left : RL_SITE_MAX, address, &found))
		return false;
	slot = found.via_slot ? rl_linked_slot(module, (uintptr_t)found.target) : rl_slot_of_stub(module, (uintptr_t)found.target);
	if (!slot)
		return false;
	*link = (struct rl_link){ .address = address, .home = (uintptr_t)found.target, .slot = (uint32_t)(slot - rl_linkage.slots),
				  .module = slot->module, .kind = (uint8_t)found.kind, .state = RELINK_LINK_HOME };
	/* A direct call behind a prefix is what a call through a slot becomes: it is bound already, by the linker. */
	return found.via_slot || found.kind == RL_CALL || found.kind == RL_TAIL;
}

bool rl_link_aim(struct rl_link *link)
{
	uint8_t state;
	uintptr_t target = rl_slot_target(&rl_linkage.slots[link->slot], &state);

	if (target)
		link->target = target;
	else
		link->state = state;
	return target != 0;
}

static bool has_page(const struct rl_linked *m, const uint8_t *pages, uintptr_t address)
{
	size_t page = address / PAGE - m->text_start / PAGE;

	return pages[page / 8] & 1u << page % 8;
}

static void flip_page(const struct rl_linked *m, uint8_t *pages, uintptr_t address)
{
	size_t page = address / PAGE - m->text_start / PAGE;

	pages[page / 8] ^= (uint8_t)(1u << page % 8);
}

static bool is_private(const struct rl_linked *m, uintptr_t address)
{
	return has_page(m, m->private_pages, address);
}

static void make_private(struct rl_linked *m, uintptr_t address)
{
	if (is_private(m, address))
		return;
	flip_page(m, m->private_pages, address);
	m->pages++;
	rl_linkage.pages++;
}

static void note_written(struct rl_linked *m, uintptr_t address)
{
	if (!has_page(m, m->written_pages, address))
		flip_page(m, m->written_pages, address);
}

static void give_back_page(struct rl_linked *m, uintptr_t address)
{
	if (!is_private(m, address) || has_page(m, m->written_pages, address))
		return;
	flip_page(m, m->private_pages, address);
	m->pages--;
	rl_linkage.pages--;
}

static uintptr_t last_byte(const struct rl_link *link)
{
	return link->address + rl_runtime.core.port->length[link->kind] - 1;
}

/* What has not been written, because threads run or other bytes are there, has been paid for in vain. */
static void settle_pages(const struct rl_link_job *job)
{
	for (size_t i = 0; i < job->count; i++)
		if (job->links[i].state == RELINK_LINK_BOUND) {
			note_written(rl_linkage.modules[job->links[i].module], job->links[i].address);
			note_written(rl_linkage.modules[job->links[i].module], last_byte(&job->links[i]));
		}
	for (size_t i = 0; i < job->count; i++)
		if (job->links[i].state != RELINK_LINK_BOUND) {
			give_back_page(rl_linkage.modules[job->links[i].module], job->links[i].address);
			give_back_page(rl_linkage.modules[job->links[i].module], last_byte(&job->links[i]));
		}
}

/* Can it be reached at all? Else its page need not be paid for. */
static bool reaches(const struct rl_link *link)
{
	const struct rl_port *port = rl_runtime.core.port;
	struct rl_want want = { .what = RL_FUNCTION, .address = link->target };
	uint8_t old[RL_SITE_MAX], out[RL_SITE_MAX];

	for (size_t i = 0; i < port->length[link->kind]; i++)
		old[i] = ((const volatile uint8_t *)link->address)[i];
	return port->encode((enum rl_kind)link->kind, link->address, link->home, &want, old, out) == RL_FITS;
}

bool rl_link_is_free(const struct rl_link *link)
{
	const struct rl_linked *m = rl_linkage.modules[link->module];

	return is_private(m, link->address) && is_private(m, last_byte(link));
}

bool rl_link_afford(struct rl_link *link)
{
	struct rl_linked *m = rl_linkage.modules[link->module];
	uintptr_t last = last_byte(link);
	uint64_t more = (uint64_t)!is_private(m, link->address) +
			(last / PAGE != link->address / PAGE ? (uint64_t)!is_private(m, last) : 0);

	if (!reaches(link)) {
		link->state = RELINK_LINK_OUT_OF_RANGE;
		return false;
	}
	if ((rl_linkage.pages + more) * PAGE > rl_linkage.options.budget) {
		link->state = RELINK_LINK_BUDGET;
		return false;
	}
	make_private(m, link->address);
	make_private(m, last);
	return true;
}

static void note_bound(const struct rl_link *links, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (links[i].state == RELINK_LINK_BOUND && !rl_is_pad(links[i].target))
			rl_linkage.slots[links[i].slot].bound = links[i].target;
}

/* For benchmarks: the same pages have been written, and nothing has changed. */
static int undo(const struct rl_link_job *job, struct relink_error *err)
{
	struct rl_link_job back = *job;

	back.bind = false;
	return rl_commit_links(&rl_runtime.core, &back, err);
}

int rl_links_commit(const struct rl_link_job *job, struct relink_error *err)
{
	int r = rl_commit_links(&rl_runtime.core, job, err);

	for (size_t i = 0; i < job->count && r && job->bind; i++)
		if (job->links[i].state == RELINK_LINK_HOME)
			job->links[i].state = RELINK_LINK_UNWRITABLE;
	/* A commit that failed may have written and taken back. */
	if (!r && job->bind)
		settle_pages(job);
	if (!r && job->bind && rl_linkage.options.flags & RELINK_LINKAGE_CONTROL)
		r = undo(job, err);
	if (job->bind)
		note_bound(job->links, job->count);
	return r;
}

void rl_links_bind(struct rl_link *links, size_t count, struct rl_change_record *room)
{
	struct rl_link_job job = { .links = links, .room = room, .mode = RELINK_LIVE, .bind = true };

	for (size_t i = 0; i < count; i++)
		if (rl_link_aim(&links[i]) && rl_link_afford(&links[i])) {
			struct rl_link good = links[i];

			links[i] = links[job.count];
			links[job.count++] = good;
		}
	if (job.count)
		rl_links_commit(&job, NULL);
}

void rl_links_left(const struct rl_link *links, size_t count)
{
	for (size_t i = 0; i < count; i++)
		rl_linkage.slots[links[i].slot].left += links[i].state != RELINK_LINK_BOUND;
}

struct rl_link *rl_link_add(const struct rl_link *link)
{
	struct rl_linkage_runtime *l = &rl_linkage;

	if (l->link_count == l->link_capacity)
		return 0;
	l->links[l->link_count] = *link;
	return &l->links[l->link_count++];
}
