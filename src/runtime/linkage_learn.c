/* SPDX-License-Identifier: MIT */
/*
 * linkage_learn.c - the recorder's work: which calls are hot.
 *
 * It comes in the middle of anything that the program does. Then the process has one thread, as far as libc knows; whether that is so
 * the commit asks the kernel. A process with threads only remembers.
 */
#include <errno.h>
#include <pthread.h>
#include <time.h>

#include "runtime/linkage.h"

/* ---- the clock ---- */

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* ---- calls that have turned out to be hot ---- */

static void note_news(const struct rl_link *link)
{
	struct rl_linked *m = rl_linkage.modules[link->module];

	m->learned++;
	m->news = true;
}

/* What is bound is no call of a stub any more, so it can only be one that was left. */
static bool is_known(const struct rl_link *link)
{
	if (!rl_linkage.slots[link->slot].left)
		return false;
	for (size_t i = rl_linkage.link_count; i-- > 0;)
		if (rl_linkage.links[i].address == link->address && !rl_linkage.modules[rl_linkage.links[i].module]->gone)
			return true;
	return false;
}

#define MOST_TAILS 256u /* that are looked for in one piece of work */
#define BATCH (RL_HOT + MOST_TAILS)

/* Calls that have turned out to be hot, at the end of the list: `from` on. */
struct batch {
	size_t from;
	bool full;
};

static bool is_in(const struct batch *b, const struct rl_link *link)
{
	for (size_t i = b->from; i < rl_linkage.link_count; i++)
		if (rl_linkage.links[i].address == link->address)
			return true;
	return false;
}

/* It has come often, so it is remembered even if it can't be bound. */
static void take_link(struct batch *b, const struct rl_link *found)
{
	struct rl_link *link;

	if (is_known(found) || is_in(b, found))
		return;
	link = rl_link_add(found);
	if (link)
		note_news(link);
	else
		b->full = true;
}

static void sort_by_address(struct rl_link *links, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		struct rl_link link = links[i];
		size_t at = i;

		for (; at && links[at - 1].address > link.address; at--)
			links[at] = links[at - 1];
		links[at] = link;
	}
}

static void bind_batch(const struct batch *b)
{
	static struct rl_change_record room[BATCH];
	struct rl_link *links = rl_linkage.links + b->from;
	size_t count = rl_linkage.link_count - b->from;

	sort_by_address(links, count);
	rl_links_bind(links, count, room);
	rl_links_left(links, count);
}

/* What the return address says: the call in front of it is one of this stub, or of a function that ends with a jump to it. */
static bool find_call(const struct rl_linked_slot *slot, uintptr_t caller, struct rl_link *link)
{
	static const enum rl_kind kinds[] = { RL_CALL, RL_POINTER_CALL };
	const struct rl_linked *m = rl_linked_at(caller - 1);

	for (size_t i = 0; m && i < sizeof(kinds) / sizeof(*kinds); i++)
		if (rl_link_at(m, caller - rl_runtime.core.port->length[kinds[i]], link) && link->kind == kinds[i] &&
		    &rl_linkage.slots[link->slot] == slot)
			return true;
	return false;
}

/* The function that the call in front of a return address goes to. 0: it can't be told. */
static uintptr_t called(uintptr_t caller)
{
	static const enum rl_kind kinds[] = { RL_CALL, RL_POINTER_CALL };
	const struct rl_port *port = rl_runtime.core.port;
	const struct rl_linked *m = rl_linked_at(caller - 1);
	struct rl_link link;
	struct rl_found found;

	for (size_t i = 0; m && i < sizeof(kinds) / sizeof(*kinds); i++) {
		uintptr_t address = caller - port->length[kinds[i]];

		if (rl_linked_at(address) != m ||
		    !port->call_at((const uint8_t *)address, port->length[kinds[i]], address, &found) || found.kind != kinds[i])
			continue;
		if (rl_link_at(m, address, &link))
			return rl_link_aim(&link) ? link.target : 0;
		if (!found.via_slot && rl_linked_at((uintptr_t)found.target))
			return (uintptr_t)found.target;
	}
	return 0;
}

#define TAILS 64u
#define TAIL_PAGES 8u /* that they may make private */
#define PAGE 4096u

/* Those of a page come one after the other. */
static bool is_cheap(const struct rl_link *link, uintptr_t *last, size_t *pages)
{
	uintptr_t page = link->address / PAGE;

	if (rl_link_is_free(link) || page == *last)
		return true;
	if (*pages == TAIL_PAGES)
		return false;
	*last = page;
	++*pages;
	return true;
}

/* It was called through a pointer, and jumped here in the end: nobody knows which of those that do. */
static void learn_tails(struct batch *b, struct rl_linked_slot *slot, bool quick)
{
	static struct rl_link links[TAILS];
	size_t count, pages = 0;
	uintptr_t last = 0;

	/* A short run of what is known has no time to search. */
	if (slot->tails_known || rl_linkage_sleeps(rl_slot_module(slot)))
		return;
	slot->tails_known = true;
	count = rl_link_tails(rl_slot_module(slot), slot, links, TAILS);
	for (size_t i = 0; i < count && rl_linkage.link_count - b->from < MOST_TAILS; i++)
		if (is_cheap(&links[i], &last, &pages)) {
			links[i].later = !quick;
			take_link(b, &links[i]);
		}
}

static void learn_caller(struct batch *b, struct rl_linked_slot *slot, uintptr_t caller, bool quick)
{
	const struct rl_linked *m = rl_slot_module(slot);
	struct rl_link link;
	uintptr_t function;

	if (m->gone || m->why)
		return;
	if (!find_call(slot, caller, &link)) {
		function = called(caller);
		if (!function || rl_linked_at(function) != m || !rl_link_tail(m, function, slot, &link)) {
			learn_tails(b, slot, quick);
			return;
		}
	}
	link.later = !quick;
	take_link(b, &link);
}

static void learn_callers(enum rl_recorder_leave leave)
{
	struct rl_hot_caller list[RL_HOT];
	unsigned count = rl_recorder_take_hot(list, leave);
	struct batch b = { rl_linkage.link_count, false };

	for (unsigned i = 0; i < count; i++)
		if (list[i].watch->state != RL_WATCH_GONE)
			learn_caller(&b, rl_watched_slot(list[i].watch), list[i].caller, list[i].quick);
	bind_batch(&b);
	if (b.full) {
		rl_linkage_note("there is no room for more calls: nothing is learned any more", "");
		rl_linkage_unwatch(NULL, false);
	}
}

/* The loader has filled the slot: the calls that the cache knew of. */
static void bind_waiting(struct rl_linked_slot *slot)
{
	struct rl_link *links = rl_linkage.links + slot->first;

	for (size_t i = 0; i < slot->count; i++)
		links[i].state = RELINK_LINK_HOME;
	/* Those that are too many for the budget stay at the end. */
	rl_links_bind(links, slot->count, rl_linkage.room);
	slot->left = 0;
	rl_links_left(links, slot->count);
	slot->count = 0;
}

#define LOOKED_AT 16u /* slots, each time that there is work */

static void lead_home(uint32_t slot)
{
	struct rl_change_record room[1];
	struct rl_link_job job = { .count = 1, .room = room, .mode = RELINK_LIVE };

	for (size_t i = 0; i < rl_linkage.link_count; i++) {
		struct rl_link *link = &rl_linkage.links[i];

		if (link->slot != slot || link->state != RELINK_LINK_BOUND)
			continue;
		job.links = link;
		if (!rl_links_commit(&job, NULL) && link->state == RELINK_LINK_HOME)
			link->state = RELINK_LINK_CHANGED;
	}
	rl_linkage.slots[slot].bound = 0;
	rl_linkage.slots[slot].left = 1;
}

/* Somebody may have put a hook of his own into a slot: what is bound passes it by. Some slots each time; all have their turn. */
static void look_for_changes(void)
{
	static size_t next;

	rl_stubs_follow();
	for (size_t i = 0; i < LOOKED_AT && rl_linkage.slot_count; i++) {
		struct rl_linked_slot *slot = &rl_linkage.slots[next++ % rl_linkage.slot_count];
		uint8_t state;

		if (slot->bound && !rl_slot_module(slot)->gone && rl_slot_target(slot, &state) != slot->bound)
			lead_home((uint32_t)(slot - rl_linkage.slots));
	}
}

/* Opening a file is where a thread may be cancelled, and it is the program's errno. */
static void save(void)
{
	int error = errno, cancel;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
	rl_hot_save();
	pthread_setcancelstate(cancel, NULL);
	errno = error;
}

/* The process is about to shut itself in, or to become another: nothing can be written any more then. */
static void finish(bool for_good)
{
	if (for_good) {
		rl_linkage_unwatch(NULL, true);
		rl_linkage.closed = true;
	}
	save();
}

/* It has been called through for the first time. */
static void look_at_late(struct rl_watch *w)
{
	struct rl_linked_slot *slot = rl_watched_slot(w);
	uintptr_t value = rl_slot_module(slot)->gone ? 0 : rl_slot_value(slot), entry = rl_watch_entry(w);

	w->state = RL_WATCH_OFF;
	if (!value)
		return;
	if (value == entry || value == w->target) {
		w->state = RL_WATCH_LATE;
		rl_recorder_still_late(w);
		return;
	}
	w->target = value;
	if (slot->count)
		bind_waiting(slot);
	/* Such slots are writable, or the loader could not fill them. Whoever overwrites one at this moment wins. */
	if (!rl_linkage_learns() || rl_slot_module(slot)->why || (rl_linkage_sleeps(rl_slot_module(slot)) && !rl_is_among_few(slot)) || !rl_is_near(rl_slot_module(slot), value))
		return;
	w->state = RL_WATCH_ON;
	__atomic_compare_exchange_n((uintptr_t *)slot->address, &value, entry, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED);
}

static void look_at_all_late(void)
{
	struct rl_watch *list[RL_LATE];
	unsigned count = rl_recorder_take_late(list);

	for (unsigned i = 0; i < count; i++)
		look_at_late(list[i]);
}

/* ---- sleep ---- */

#define LONG_ENOUGH 250000000u /* ns, until all slots are watched */
#define BUSY 50000u            /* ns per call: with fewer, counting takes too much of the time of a sleeper */
#define BUSY_ALONE 5000u       /* and of the one who is to wake it */
#define SPENT_MOST 16384u      /* calls, for which such a one may be too busy, since another may come */
#define PACE_SLEEPING 256u     /* calls */
#define MANY_TIRED 8u          /* slots */

/* Calls of the first that waits since the last time. */
static uint64_t waited(void)
{
	static uint64_t before;
	uint64_t since = rl_recorder_waited() - before;

	before += since;
	return since;
}

/*
 * Somebody must go on coming by, or nobody would know when it is time to wake: a call that is hot, but not very. False: all that are there
 * are, and it is time now; nothing is left that would be dear to count.
 */
static bool doze(uint64_t calls, uint64_t visits, uint64_t passed)
{
	static uint64_t spent;
	unsigned waiting = rl_recorder_waiting();
	bool dear = visits * BUSY_ALONE >= passed;

	spent += dear ? visits : 0;
	if (calls * BUSY < passed)
		return true;
	/* Another one may yet come. */
	learn_callers(dear && (waiting > 1 || spent > SPENT_MOST) ? RL_LEAVE_LAST : RL_LEAVE_FIRST);
	if (rl_recorder_tired() >= MANY_TIRED)
		rl_give_back_tired();
	return !waiting || rl_recorder_is_visited();
}

static void look_at_time(void)
{
	struct rl_linkage_runtime *l = &rl_linkage;
	uint64_t time = now(), total = rl_recorder_total(), calls = total - l->recorded, passed = time - l->looked;

	l->looked = time;
	l->recorded = total;
	if (time - l->began < LONG_ENOUGH && doze(calls, waited(), passed))
		rl_recorder_set_pace(PACE_SLEEPING, true);
	else
		rl_linkage_wake();
}

/* ---- work ---- */

static void work_on(struct rl_recorded *recorded)
{
	struct rl_linked_slot *slot = rl_watched_slot(recorded->watch);

	switch (recorded->what) {
	case RL_RECORDED_HOT:
		/* In a module that is new: the program does something that it never did. */
		if (rl_linkage_is_any_asleep())
			rl_linkage_wake();
		learn_callers(RL_LEAVE_NONE);
		break;
	case RL_RECORDED_ENOUGH:
		/* Nobody may come by these slots any more to say that it is time for the others. */
		learn_callers(RL_LEAVE_NONE);
		rl_give_back_tired();
		break;
	case RL_RECORDED_LATE:
		look_at_all_late();
		break;
	case RL_RECORDED_ASKED:
		finish(rl_linkage_asks_for_good(slot->name));
		break;
	case RL_RECORDED_TIME:
		look_at_time();
		break;
	}
}

/* The loader's lock comes first. */
static int work_locked(const struct rl_loaded *first, void *context)
{
	struct rl_recorded *recorded = context;
	uint64_t start;

	if (!rl_try_lock())
		return 1;
	start = now();
	rl_linkage_bury(first->removals);
	look_for_changes();
	work_on(recorded);
	rl_linkage.learn_ns += now() - start;
	rl_unlock();
	return 1;
}

void rl_linkage_work(struct rl_recorded *recorded)
{
	/* A signal handler may have interrupted dlclose; it is done another time. */
	if (!rl_linkage.closed && !rl_linkage.orphan && !rl_loader_is_busy())
		rl_each_loaded(work_locked, recorded);
}

/* ---- at the end ---- */

static void remember(struct rl_watch *w, uintptr_t caller, int state)
{
	struct rl_linked_slot *slot = rl_watched_slot(w);
	struct rl_link link;

	if (w->state == RL_WATCH_GONE || rl_slot_module(slot)->gone || rl_slot_module(slot)->why || !find_call(slot, caller, &link) ||
	    is_known(&link))
		return;
	link.state = (uint8_t)state;
	if (rl_link_add(&link)) {
		slot->left++;
		note_news(&link);
	}
}

static void remember_unbound(struct rl_watch *w, uintptr_t caller, void *ctx)
{
	(void)ctx;
	remember(w, caller, RELINK_LINK_THREADS);
}

/* Hot callers that still wait for others, and those that could not be bound, because threads were there. */
void rl_linkage_remember(void)
{
	struct rl_hot_caller list[RL_HOT];
	unsigned count = rl_recorder_take_hot(list, RL_LEAVE_NONE);

	for (unsigned i = 0; i < count; i++)
		remember(list[i].watch, list[i].caller, RELINK_LINK_HOME);
	rl_recorder_each(remember_unbound, NULL);
}
