/* SPDX-License-Identifier: MIT */
/*
 * linkage_watch.c - slots that lead to the recorder: which ones, and back.
 *
 * Some because calls through them are counted; some because a call has to be known of before it happens, since nothing can be
 * written, or nobody is there to write it, after it.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/linkage.h"

#define OFTEN 24     /* calls of one caller */
#define ENOUGH 512   /* calls through one slot that nothing can be done about */
#define ENOUGH_WARM 448 /* of them, where earlier runs have looked already */
#define PAGE 4096u

bool rl_linkage_learns(void)
{
	return rl_linkage.options.policy == RELINK_LINKAGE_HOT || rl_linkage.options.policy == RELINK_LINKAGE_LEARN;
}

bool rl_is_near(const struct rl_linked *m, uintptr_t target)
{
	const uintptr_t reach = 0x7fff0000u;

	return target + reach > m->text_stop && target < m->text_start + reach;
}

/* ---- slots ---- */

/* Only what we have put there is taken away: somebody else may have put something of his own in its place. */
static void restore(struct rl_linked_slot *slot)
{
	const struct rl_watch *w = slot->watch;
	uintptr_t entry = rl_watch_entry(w), target = w->through ? *w->through : w->target;

	__atomic_compare_exchange_n((uintptr_t *)w->slot, &entry, target, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED);
	slot->watch->state = RL_WATCH_OFF;
}

static bool leads_here(const struct rl_linked_slot *slot)
{
	return slot->watch && __atomic_load_n((const uintptr_t *)slot->watch->slot, __ATOMIC_ACQUIRE) == rl_watch_entry(slot->watch);
}

static bool open_page(const struct rl_linked_slot *slot, bool open)
{
	uintptr_t page = slot->address & ~(uintptr_t)(PAGE - 1);

	return !slot->read_only || slot->watch->slot != slot->address || rl_data_protect(page, page + PAGE, open) == 0;
}

static void give_back(struct rl_linked_slot *slot)
{
	if (!leads_here(slot) || !open_page(slot, true)) {
		slot->watch->state = RL_WATCH_OFF;
		return;
	}
	restore(slot);
	open_page(slot, false);
}

/* Slots that the loader has protected lie side by side: one change of protection for all of a module's. */
struct span {
	uintptr_t start, stop;
};

static void widen(struct span *s, const struct rl_linked_slot *slot)
{
	uintptr_t page = slot->address & ~(uintptr_t)(PAGE - 1);

	if (!slot->read_only)
		return;
	s->start = !s->stop || page < s->start ? page : s->start;
	s->stop = page + PAGE > s->stop ? page + PAGE : s->stop;
}

static bool open_span(const struct span *s, bool open)
{
	return !s->stop || rl_data_protect(s->start, s->stop, open) == 0;
}

static bool is_tired(const struct rl_linked_slot *slot)
{
	return slot->watch && slot->watch->state == RL_WATCH_TIRED;
}

static void give_back_tired_of(const struct rl_linked *m)
{
	struct rl_linked_slot *slots = rl_linkage.slots + m->first;
	struct span span = { 0, 0 };
	bool any = false;

	for (size_t i = 0; i < m->count; i++)
		if (is_tired(&slots[i])) {
			widen(&span, &slots[i]);
			any = true;
		}
	if (!any || !open_span(&span, true))
		return;
	for (size_t i = 0; i < m->count; i++)
		if (is_tired(&slots[i]))
			restore(&slots[i]);
	open_span(&span, false);
}

void rl_give_back_tired(void)
{
	for (size_t i = 0; i < rl_linkage.module_count; i++)
		if (!rl_linkage.modules[i]->gone)
			give_back_tired_of(rl_linkage.modules[i]);
	rl_stubs_lead_home(RELINK_LIVE);
	rl_recorder_none_tired();
}

void rl_linkage_unwatch(const struct rl_linked *module, bool asks)
{
	for (size_t i = 0; i < rl_linkage.slot_count; i++) {
		struct rl_linked_slot *slot = &rl_linkage.slots[i];

		if (slot->watch && slot->watch->state != RL_WATCH_OFF && !rl_slot_module(slot)->gone &&
		    (!module || rl_slot_module(slot) == module) && (asks || !slot->watch->ask))
			give_back(slot);
	}
}

/* ---- calls that have to be known of before they happen ---- */

/* Called by the recorder in the place of the program's call: nothing but arithmetic. */
#if defined __x86_64__
#define PLAIN __attribute__((target("general-regs-only"), no_sanitize("address", "thread", "undefined")))
#else
#define PLAIN
#endif

/* Nor can the recorder read the processor's counter, when nobody may. */
PLAIN static bool is_seccomp(uint64_t first, uint64_t second)
{
	(void)second;
	return first == PR_SET_SECCOMP || first == PR_SET_TSC;
}

PLAIN static bool is_seccomp_call(uint64_t first, uint64_t second)
{
	return first == SYS_seccomp || (first == SYS_prctl && is_seccomp(second, 0));
}

PLAIN static bool always(uint64_t first, uint64_t second)
{
	(void)first, (void)second;
	return true;
}

/* The loader has resolved them for us, in the same scope as for others. */
struct asked {
	const char *name;
	bool (*ask)(uint64_t first, uint64_t second);
	uintptr_t function;
	bool for_good;
};

static const struct asked *asked_of(const char *name)
{
	static const struct asked asked[] = {
		{ "prctl", is_seccomp, (uintptr_t)prctl, true }, { "syscall", is_seccomp_call, (uintptr_t)syscall, true },
		{ "_exit", always, (uintptr_t)_exit, false }, { "_Exit", always, (uintptr_t)_Exit, false },
		{ "execve", always, (uintptr_t)execve, false }, { "execv", always, (uintptr_t)execv, false },
		{ "execvp", always, (uintptr_t)execvp, false }, { "execvpe", always, (uintptr_t)execvpe, false },
		{ "fexecve", always, (uintptr_t)fexecve, false },
	};

	if (!strchr("ps_ef", name[0]))
		return NULL;
	for (size_t i = 0; i < sizeof(asked) / sizeof(*asked); i++)
		if (!strcmp(asked[i].name, name))
			return &asked[i];
	return NULL;
}

bool rl_linkage_asks_for_good(const char *function)
{
	return asked_of(function)->for_good;
}

bool rl_linkage_asks(const char *function)
{
	return asked_of(function) != NULL;
}

/* ---- which slots ---- */

/* Is it worth while, and sound? Whoever reads a slot as data would find the recorder's address there; slots for stubs nobody reads. */
static bool is_watchable(const struct rl_linked_slot *slot, uintptr_t target, uint8_t state)
{
	const struct rl_linked *m = rl_slot_module(slot);

	if (slot->kind == RL_SLOT_DATA || m->why)
		return false;
	/* Where it will lead is not known yet; but a program far from librelink.so is far from all libraries. */
	if (!target)
		return state == RELINK_LINK_LAZY && (rl_linkage_learns() || slot->count) && (!m->main || rl_is_near(m, (uintptr_t)&rl_linkage)) &&
		       !rl_slot_is_filled_by_stub(slot);
	return rl_linkage_learns() && rl_is_near(m, target);
}

void rl_watch_begin(struct rl_linked_slot *slot, struct rl_watch *w)
{
	slot->watch = w;
	w->index = (uint32_t)(slot - rl_linkage.slots);
	w->missed = rl_slot_module(slot)->warm ? ENOUGH_WARM : 0;
	w->eager = !rl_linkage_sleeps(rl_slot_module(slot));
}

/*
 * Where earlier runs have learned, there is little left to learn, and counting calls that are not hot costs short runs more than it
 * could gain. So until the process has run for a while only a few slots of such modules are watched, others in each run.
 */
#define FEW 32u
#define FIRST_PACE 128u /* calls, until somebody looks at the time */

bool rl_linkage_sleeps(const struct rl_linked *m)
{
	return m->warm && !rl_linkage.awake;
}

bool rl_is_among_few(const struct rl_linked_slot *slot)
{
	static const uint32_t *random;

	random = random ? random : (const uint32_t *)getauxval(AT_RANDOM);
	return slot->pulse || ((uint32_t)(slot - rl_linkage.slots) + (random ? *random : 0)) % (1 + rl_linkage.slot_count / FEW) == 0;
}

/* As rl_slot_target, but it only has to be some function: to look at all of them takes longer than all the rest. */
static uintptr_t some_target(const struct rl_linked_slot *slot, uint8_t *state)
{
	uintptr_t value = rl_slot_value(slot);
	const struct rl_linked *m = rl_slot_module(slot);

	if (value < m->text_start || value >= m->text_stop)
		return rl_linked_at(value) ? value : 0;
	return rl_slot_target(slot, state);
}

static void watch_slot(struct rl_linked_slot *slot)
{
	uint8_t state = RELINK_LINK_TARGET;
	uintptr_t target, value = rl_slot_value(slot);
	const struct asked *asked = slot->asked ? asked_of(slot->name) : NULL;
	struct rl_watch *w;

	if (slot->watch || rl_slot_module(slot)->gone || rl_slot_module(slot)->never || rl_watch_of_entry(value))
		return;
	target = some_target(slot, &state);
	if (!asked && target && rl_linkage_sleeps(rl_slot_module(slot)) && !rl_is_among_few(slot))
		return;
	if (asked ? !target && state != RELINK_LINK_LAZY : !is_watchable(slot, target, state))
		return;
	/* Of a module that came later it may be a function of its own; others' are found where ours were, in the program's scope first. */
	if (asked && !target && rl_linkage.started && slot->defined)
		return;
	/* The first of these calls counts, too, and the loader must not put the function where we are. */
	w = asked && !target ? rl_watch_add(slot->address, asked->function, true) : rl_watch_add(slot->address, value, target != 0);
	if (!w) {
		rl_linkage_note("there are more slots than can be watched: calls through the others are not learned", "");
		return;
	}
	rl_watch_begin(slot, w);
	w->ask = asked ? asked->ask : NULL;
	__atomic_compare_exchange_n((uintptr_t *)slot->address, &value, rl_watch_entry(w), false, __ATOMIC_RELEASE, __ATOMIC_RELAXED);
}

/* Where there are more than can be watched: calls that have to be known of, then those of which no run has bound any. */
enum round { ASKED, UNKNOWN, ALL };

static bool is_its_turn(const struct rl_linked_slot *slot, enum round round)
{
	if (slot->asked || round == ASKED)
		return slot->asked;
	return round == ALL || !slot->bound;
}

static void watch_module(const struct rl_linked *m, enum round round)
{
	struct rl_linked_slot *slots = rl_linkage.slots + m->first;
	struct span span = { 0, 0 };

	for (size_t i = 0; i < m->count; i++)
		widen(&span, &slots[i]);
	if (!open_span(&span, true))
		return;
	for (size_t i = 0; i < m->count; i++)
		if (is_its_turn(&slots[i], round))
			watch_slot(&slots[i]);
	open_span(&span, false);
}

static void watch_all(void)
{
	for (enum round round = rl_linkage.slot_count > RL_WATCHES ? ASKED : ALL; round <= ALL; round++)
		for (size_t i = 0; i < rl_linkage.module_count; i++)
			if (!rl_linkage.modules[i]->gone)
				watch_module(rl_linkage.modules[i], round);
	if (rl_linkage_learns())
		rl_stubs_watch();
}

bool rl_linkage_is_any_asleep(void)
{
	for (size_t i = 0; i < rl_linkage.module_count; i++)
		if (!rl_linkage.modules[i]->gone && rl_linkage_sleeps(rl_linkage.modules[i]))
			return true;
	return false;
}

void rl_linkage_watch(void)
{
	int r;

	if (rl_linkage.closed)
		return;
	r = rl_recorder_start(rl_linkage_work, OFTEN, ENOUGH);
	if (r < 0) {
		rl_linkage_note("nothing is learned: no memory for the recorder", "");
		return;
	}
	rl_stubs_make_room();
	watch_all();
	rl_recorder_set_pace(rl_linkage_is_any_asleep() ? FIRST_PACE : 0, rl_linkage_is_any_asleep());
}

void rl_linkage_wake(void)
{
	rl_linkage.awake = true;
	rl_recorder_set_pace(0, false);
	rl_links_bind_later();
	watch_all();
}
