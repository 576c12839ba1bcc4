/* SPDX-License-Identifier: MIT */
/*
 * stress_subjects.h - static calls with sites of all kinds at every alignment, and a key: what the stress tests change. One source
 * file of a program includes it.
 */
#ifndef TEST_STRESS_SUBJECTS_H
#define TEST_STRESS_SUBJECTS_H

#include "stress.h"

/* ---- five calls and a key ---- */

RELINK_DECLARE_CALL(unsigned, route, (unsigned x));
RELINK_DECLARE_CALL(unsigned, shared, (unsigned x));
RELINK_DECLARE_CALL(uint64_t, pick, (unsigned x));
RELINK_DECLARE_CALL(void, note, (unsigned *out, unsigned x));
RELINK_DECLARE_CALL(unsigned, left, (unsigned x));
RELINK_KEY_FALSE(right, "changes together with left");

/* route and shared: sixteen targets, one in two is registered. Target k of x is 16 x + k. They are so far from each other that
 * several bytes of a call change. */
#define TARGET(n) \
	static unsigned target_##n(unsigned x) \
	{ \
		SKIP_TO(64, (n % 4 == 1 ? 66001 : 1003)); \
		return 16 * x + n; \
	}
EACH_16(TARGET)
#define TARGET_NAME(n) target_##n,
static relink_fn_route *const targets[] = { EACH_16(TARGET_NAME) };
RELINK_DEFINE_CALL(route, target_00, "sixteen targets");
RELINK_VARIANT(route, target_02);
RELINK_VARIANT(route, target_04);
RELINK_VARIANT(route, target_06);
RELINK_DEFINE_CALL(shared, target_00, "sixteen targets, set by everybody");
RELINK_VARIANT(shared, target_03);

/* pick: functions and constants, of which one does not fit an instruction. */
static uint64_t pick_ten(unsigned x) { return x ? 10 : 10; }
static uint64_t pick_large(unsigned x) { return x ? 0x200000000 : 0x200000000; }
RELINK_DEFINE_CALL(pick, pick_ten, "functions and constants");
RELINK_VARIANT_CONST(pick, seven, 7);
RELINK_VARIANT_CONST(pick, most, 0xffffffff);
RELINK_VARIANT(pick, pick_large);
RELINK_VARIANT_CONST(pick, huge, 0x100000007);
RELINK_VARIANT_CONST(pick, zero, 0);
static const char *const pick_states[] = { "pick_ten", "seven", "most", "pick_large", "huge", "zero", "pick_large", "huge", "seven" };
static const uint64_t pick_values[] = { 10, 7, 0xffffffff, 0x200000000, 0x100000007, 0, 0x200000000, 0x100000007, 7 };

/* note: writes what it is, NULL writes nothing. */
#define NOTE(n) static void note_##n(unsigned *out, unsigned x) { *out = 16 * x + n; }
EACH_8(NOTE, 0)
#define NOTE_NAME(n) note_##n,
static relink_fn_note *const notes[] = { EACH_8(NOTE_NAME, 0) };
RELINK_DEFINE_CALL_NULL(note, "nothing, or one of seven");
RELINK_VARIANT(note, note_01);

static unsigned left_0(unsigned x) { return 2 * x; }
static unsigned left_1(unsigned x) { return 2 * x + 1; }
RELINK_DEFINE_CALL(left, left_0, "changes together with right");

/* ---- sites: each returns the state that it saw, or BROKEN ---- */

#define BROKEN 1000u

static unsigned state_of_target(unsigned result, unsigned x)
{
	return result / 16 == x ? result % 16 : BROKEN;
}

static unsigned state_of_pick(uint64_t value)
{
	for (unsigned i = 0; i < COUNT(pick_values); i++)
		if (pick_values[i] == value)
			return i;
	return BROKEN;
}

#define SITE static __attribute__((noinline)) unsigned
#define KEEP(variable) __asm__ volatile("" : "+r"(variable))

#define CALL_ROUTE(n, boundary, skip) \
	SITE route_call_##boundary##_##n(unsigned x) \
	{ \
		SKIP_TO(boundary, skip); \
		unsigned r = route(x); \
		KEEP(r); \
		return state_of_target(r, x); \
	} \
	SITE route_tail_at_##boundary##_##n(unsigned x) \
	{ \
		SKIP_TO(boundary, skip); \
		return route(x); \
	} \
	SITE route_tail_##boundary##_##n(unsigned x) { return state_of_target(route_tail_at_##boundary##_##n(x), x); }
#define CALL_PICK(n, boundary, skip) \
	SITE pick_call_##boundary##_##n(unsigned x) \
	{ \
		SKIP_TO(boundary, skip); \
		uint64_t r = pick(x); \
		KEEP(r); \
		return state_of_pick(r); \
	}
#define CALL_NOTE(n, boundary, skip) \
	SITE note_call_##boundary##_##n(unsigned x) \
	{ \
		unsigned r = 16 * x; \
		SKIP_TO(boundary, skip); \
		note(&r, x); \
		return state_of_target(r, x); \
	} \
	static __attribute__((noinline)) void note_tail_at_##boundary##_##n(unsigned *r, unsigned x) \
	{ \
		SKIP_TO(boundary, skip); \
		note(r, x); \
	} \
	SITE note_tail_##boundary##_##n(unsigned x) \
	{ \
		unsigned r = 16 * x; \
		note_tail_at_##boundary##_##n(&r, x); \
		return state_of_target(r, x); \
	}
#define CALL_SHARED(n, boundary, skip) \
	SITE shared_call_##boundary##_##n(unsigned x) \
	{ \
		SKIP_TO(boundary, skip); \
		unsigned r = shared(x); \
		KEEP(r); \
		return state_of_target(r, x); \
	}
#define CALL_LEFT(n, boundary, skip) \
	SITE left_call_##boundary##_##n(unsigned x) \
	{ \
		SKIP_TO(boundary, skip); \
		unsigned r = left(x); \
		KEEP(r); \
		return r / 2 == x ? r % 2 : BROKEN; \
	} \
	SITE right_branch_##boundary##_##n(unsigned x) \
	{ \
		SKIP_TO(boundary, skip); \
		return relink_unlikely(right) ? 1 : x - x; \
	}
#define SITES(n) \
	CALL_ROUTE(n, 64, n) CALL_PICK(n, 64, n) CALL_NOTE(n, 64, n) CALL_SHARED(n, 64, n) CALL_LEFT(n, 64, n)
#define SITES_ACROSS(n) CALL_ROUTE(n, 4096, 4094 - n) CALL_NOTE(n, 4096, 4094 - n) CALL_PICK(n, 4096, 4094 - n)
EACH_64(SITES)
EACH_16(SITES_ACROSS)

/* A conditional jump to the trampoline: taken for odd x, else -1. No compiler promises to make one. */
#if RELINK_PATCHES_
#define JUMP(n, boundary, skip) \
	__asm__(".pushsection .text.jumps,\"ax\",@progbits\n\t.balign " #boundary "\n\t.skip 1 + " #skip "\n" \
		"jump_" #boundary "_" #n ":\n\ttest $1, %edi\n\tjne route\n\tmov $-1, %eax\n\tret\n\t.popsection"); \
	extern unsigned jump_##boundary##_##n(unsigned x); \
	SITE route_jump_##boundary##_##n(unsigned x) \
	{ \
		if (jump_##boundary##_##n(2 * x) != (unsigned)-1) \
			return BROKEN; \
		return state_of_target(jump_##boundary##_##n(2 * x + 1), 2 * x + 1); \
	}
#else
#define JUMP(n, boundary, skip) \
	SITE route_jump_##boundary##_##n(unsigned x) { return state_of_target(route(x), x); }
#endif
#define JUMPS(n) JUMP(n, 64, n)
#define JUMPS_ACROSS(n) JUMP(n, 4096, 4094 - n)
EACH_64(JUMPS)
EACH_16(JUMPS_ACROSS)

typedef unsigned site(unsigned x);
#define ROUTES(n) route_call_64_##n, route_tail_64_##n, route_jump_64_##n,
#define ROUTES_ACROSS(n) route_call_4096_##n, route_tail_4096_##n, route_jump_4096_##n,
#define PICKS(n) pick_call_64_##n,
#define PICKS_ACROSS(n) pick_call_4096_##n,
#define NOTES(n) note_call_64_##n, note_tail_64_##n,
#define NOTES_ACROSS(n) note_call_4096_##n, note_tail_4096_##n,
#define SHARED(n) shared_call_64_##n,
#define LEFTS(n) left_call_64_##n, right_branch_64_##n,
static site *const route_sites[] = { EACH_64(ROUTES) EACH_16(ROUTES_ACROSS) };
static site *const pick_sites[] = { EACH_64(PICKS) EACH_16(PICKS_ACROSS) };
static site *const note_sites[] = { EACH_64(NOTES) EACH_16(NOTES_ACROSS) };
static site *const shared_sites[] = { EACH_64(SHARED) };
static site *const left_sites[] = { EACH_64(LEFTS) };

/* ---- subjects ---- */

static int to_route(unsigned state, struct relink_error *err) { return relink_call_set(route, targets[state], err); }
static int to_shared(unsigned state, struct relink_error *err) { return relink_call_set(shared, targets[state], err); }
static int to_pick(unsigned state, struct relink_error *err)
{
	struct relink_commit c = RELINK_COMMIT;

	relink_set(&c, "pick", pick_states[state]);
	return relink_commit(&c, RELINK_LIVE, err);
}
static int to_note(unsigned state, struct relink_error *err)
{
	return state ? relink_call_set(note, notes[state], err) : relink_call_set(note, NULL, err);
}

/* Both, or nothing: now and then the last wish is one that can't be granted. */
static int to_left(unsigned state, struct relink_error *err)
{
	struct relink_commit c = RELINK_COMMIT;
	static unsigned turn;

	if (turn++ % 8 == 0) {
		relink_set_call(&c, left, state ? left_0 : left_1);
		relink_set_key(&c, right, !state);
		relink_set(&c, "pick", "nobody");
		CHECK_CODE(relink_commit(&c, RELINK_LIVE, err), RELINK_E_STATE, err);
	}
	relink_set_call(&c, left, state ? left_1 : left_0);
	relink_set_key(&c, right, state);
	return relink_commit(&c, RELINK_LIVE, err);
}

struct subject {
	const char *name;
	site *const *sites;
	unsigned count, states;
	int (*to)(unsigned state, struct relink_error *err);
	bool anybody; /* sets it: any state may be seen */
	struct timeline timeline;
	unsigned long commits, looks, tellings;
};

enum { ROUTE, PICK, NOTE_, LEFT, SHARED_, SUBJECTS };

__attribute__((unused)) __attribute__((unused)) static struct subject subjects[SUBJECTS] = {
	{ "route", route_sites, COUNT(route_sites), 16, to_route, false, { 0 }, 0, 0, 0 },
	{ "pick", pick_sites, COUNT(pick_sites), COUNT(pick_states), to_pick, false, { 0 }, 0, 0, 0 },
	{ "note", note_sites, COUNT(note_sites), COUNT(notes), to_note, false, { 0 }, 0, 0, 0 },
	{ "left", left_sites, COUNT(left_sites), 2, to_left, false, { 0 }, 0, 0, 0 },
	{ "shared", shared_sites, COUNT(shared_sites), 16, to_shared, true, { 0 }, 0, 0, 0 },
};

/* Several states of pick look alike. */
static bool alike(const struct subject *s, unsigned a, unsigned b)
{
	return a < s->states && b < s->states && (s->sites == pick_sites ? pick_values[a] == pick_values[b] : a == b);
}

static bool may_see(const struct subject *s, unsigned long before, unsigned long after, unsigned seen)
{
	for (unsigned i = 0; i < s->states; i++)
		if (alike(s, i, seen) && timeline_allows(before, after, s->states, i))
			return true;
	return false;
}

__attribute__((unused)) static void look(struct subject *s, unsigned x)
{
	unsigned long told = 0;

	for (unsigned i = 0; i < s->count; i++) {
		unsigned long before = timeline_read(&s->timeline);
		unsigned seen = s->sites[i](x + i);
		unsigned long after = timeline_read(&s->timeline);

		told += timeline_tells(before, after, s->states);
		if (s->anybody ? seen >= s->states : !may_see(s, before, after, seen))
			CHECKF(false, "%s, site %u: saw %u from %lu to %lu", s->name, i, seen, before, after);
	}
	__atomic_fetch_add(&s->looks, s->count, __ATOMIC_RELAXED);
	__atomic_fetch_add(&s->tellings, told, __ATOMIC_RELAXED);
}

__attribute__((unused)) static bool advance(struct subject *s)
{
	unsigned next = (unsigned)((s->timeline.now / 2 + 1) % s->states);
	struct relink_error err;
	int r;

	timeline_step(&s->timeline);
	r = s->to(next, &err);
	timeline_step(&s->timeline);
	s->commits++;
	return CHECKF(r == RELINK_OK, "%s to state %u: %s: %s", s->name, next, relink_code_name(r), relink_error_text(&err));
}

/* At rest. */
__attribute__((unused)) static void check_settled(const struct subject *s)
{
	for (unsigned i = 0; i < s->count; i++)
		CHECKF(may_see(s, s->timeline.now, s->timeline.now, s->sites[i](i)), "%s, site %u at rest", s->name, i);
}

__attribute__((unused)) static void check_sites(const struct subject *s, bool one_store)
{
#if RELINK_PATCHES_
	struct places places;

	find_places(&places, s->name);
	if (s->sites != shared_sites && s->sites != left_sites)
		check_places(&places);
	CHECKF(places.reasons[RELINK_INDIRECT] == 0, "%s: %u sites are indirect", s->name, places.reasons[RELINK_INDIRECT]);
	if (one_store)
		CHECKF(places.reasons[RELINK_BOUND] > places.reasons[RELINK_UNALIGNED] && places.reasons[RELINK_UNALIGNED],
		       "%s: %u sites bound, %u not", s->name, places.reasons[RELINK_BOUND], places.reasons[RELINK_UNALIGNED]);
#else
	(void)s, (void)one_store;
#endif
}

#endif
