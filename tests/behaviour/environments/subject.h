/* SPDX-License-Identifier: MIT */
/*
 * subject.h - a small program of static calls, keys and an option: what its sites do is compared with what its API says, and
 * both with what they should be.
 */
#ifndef TEST_SUBJECT_H
#define TEST_SUBJECT_H

#include "behaviour/check.h"

#include <pthread.h>
#include <sys/mman.h>

/* ---- choices ---- */

RELINK_DECLARE_CALL(unsigned, plain, (unsigned x));
RELINK_DECLARE_CALL(unsigned, decided, (unsigned x));
RELINK_DECLARE_CALL(void, note, (unsigned *out, unsigned x));
RELINK_DECLARE_CALL(unsigned long, number, (void));
RELINK_DECLARE_OPTION(way, left, right, straight);

static unsigned plain_0(unsigned x) { return 4 * x; }
static unsigned plain_1(unsigned x) { return 4 * x + 1; }
static unsigned plain_other(unsigned x) { return 4 * x + 2; } /* no variant */
RELINK_DEFINE_CALL(plain, plain_0, "two variants and any other function");
RELINK_VARIANT(plain, plain_1);

static unsigned decided_0(unsigned x) { return 4 * x; }
static unsigned decided_1(unsigned x) { return 4 * x + 1; }
RELINK_DEFINE_CALL(decided, decided_0, "decided once", RELINK_FINAL);
RELINK_VARIANT(decided, decided_1);

static void note_1(unsigned *out, unsigned x) { *out = 4 * x + 1; }
RELINK_DEFINE_CALL_NULL(note, "nothing, or a function");
RELINK_VARIANT(note, note_1);

static unsigned long number_0(void) { return 10; }
RELINK_DEFINE_CALL(number, number_0, "a function or a constant");
RELINK_VARIANT_CONST(number, small, 7);
RELINK_VARIANT_CONST(number, huge, 0x100000007);
static const unsigned long numbers[] = { 10, 7, 0x100000007 };

RELINK_KEY_FALSE(off, "false at link time");
RELINK_KEY_TRUE(on, "true at link time");
RELINK_OPTION(way, "three states", left, right, straight);

struct state {
	unsigned plain, decided, note, number, off, on, way;
};
static const struct state as_linked = { .on = 1 };

/* ---- sites, at eight places in an aligned word ---- */

#define BROKEN 1000u
#define KEEP(variable) __asm__ volatile("" : "+r"(variable))
#define PLACES(one) one(0) one(1) one(2) one(3) one(4) one(5) one(6) one(7)

#ifdef __x86_64__
#define SKIP(n) __asm__ volatile(".balign 8, 0x90\n\t.fill " #n ", 1, 0x90")
#else
#define SKIP(n) __asm__ volatile("")
#endif

static unsigned state_of_result(unsigned result, unsigned x)
{
	return result / 4 == x ? result % 4 : BROKEN;
}

static unsigned state_of_number(unsigned long value)
{
	for (unsigned i = 0; i < COUNT(numbers); i++)
		if (numbers[i] == value)
			return i;
	return BROKEN;
}

static unsigned state_of_way(bool left, bool right, bool straight)
{
	if (left + right + straight != 1)
		return BROKEN;
	return left ? 0 : right ? 1 : 2;
}

#define SITES(n) \
	static __attribute__((noinline)) unsigned plain_tail_##n(unsigned x) \
	{ \
		SKIP(n); \
		return plain(x); \
	} \
	static __attribute__((noinline)) void see_##n(struct state *s, unsigned x) \
	{ \
		unsigned r, again = plain_tail_##n(x); \
		unsigned long l; \
		SKIP(n); \
		r = plain(x); \
		KEEP(r); \
		s->plain = r == again ? state_of_result(r, x) : BROKEN; \
		SKIP(n); \
		r = decided(x); \
		KEEP(r); \
		s->decided = state_of_result(r, x); \
		r = 4 * x; \
		SKIP(n); \
		note(&r, x); \
		s->note = state_of_result(r, x); \
		SKIP(n); \
		l = number(); \
		KEEP(l); \
		s->number = state_of_number(l); \
		s->off = relink_unlikely(off) ? 1 : 0; \
		s->on = relink_likely(on) ? 1 : 0; \
		s->way = state_of_way(relink_option_is(way, left), relink_option_is(way, right), relink_option_is(way, straight)); \
	}
PLACES(SITES)
#define SEE(n) see_##n,
static void (*const see[])(struct state *s, unsigned x) = { PLACES(SEE) };

/* ---- what should be ---- */

static unsigned told_plain(void)
{
	relink_fn_plain *const targets[] = { plain_0, plain_1, plain_other };

	for (unsigned i = 0; i < COUNT(targets); i++)
		if (relink_call_target(plain) == targets[i])
			return i;
	return BROKEN;
}

static struct state told(void)
{
	return (struct state){ .plain = told_plain(), .decided = relink_call_target(decided) == decided_1,
			       .note = relink_call_target(note) == note_1, .number = state_of_number(relink_call_target(number)()),
			       .off = relink_key_enabled(off), .on = relink_key_enabled(on), .way = (unsigned)relink_option_state(way) };
}

static void compare(const struct state *got, const struct state *want, const char *by, const char *when)
{
	CHECKF(memcmp(got, want, sizeof(*got)) == 0,
	       "%s, by %s: plain %u decided %u note %u number %u off %u on %u way %u, want %u %u %u %u %u %u %u", when, by, got->plain,
	       got->decided, got->note, got->number, got->off, got->on, got->way, want->plain, want->decided, want->note, want->number,
	       want->off, want->on, want->way);
}

static void check_state(const struct state *want, const char *when)
{
	struct state got = told();

	compare(&got, want, "API", when);
	for (unsigned i = 0; i < COUNT(see); i++) {
		see[i](&got, i + 3);
		compare(&got, want, "site", when);
	}
}

/* ---- threads that run through the sites; they make no system calls ---- */

#define WORKERS 2
#define STACK 131072

static unsigned stop_workers, rounds[WORKERS];
static pthread_t workers[WORKERS];
static unsigned running; /* in this process */

static bool is_possible(const struct state *s)
{
	return s->plain < 3 && s->decided < 2 && s->note < 2 && s->number < COUNT(numbers) && s->off < 2 && s->on < 2;
}

static void *work(void *argument)
{
	unsigned *round = argument;
	struct state s;

	for (unsigned i = 0; !__atomic_load_n(&stop_workers, __ATOMIC_RELAXED); i++) {
		/* The two calls of plain, and the branches of way, are not one moment. */
		see[i % COUNT(see)](&s, i % 1000);
		if (s.plain == BROKEN)
			s.plain = 0;
		CHECKF(is_possible(&s), "a thread saw plain %u decided %u note %u number %u", s.plain, s.decided, s.note, s.number);
		__atomic_store_n(round, i, __ATOMIC_RELAXED);
	}
	return NULL;
}

/* Stacks of our own, or libc would ask for mprotect. */
__attribute__((unused)) static bool start_workers(void)
{
	pthread_attr_t attributes;

	pthread_attr_init(&attributes);
	for (; running < WORKERS; running++) {
		void *stack = mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (stack == MAP_FAILED || pthread_attr_setstack(&attributes, stack, STACK) ||
		    pthread_create(&workers[running], &attributes, work, &rounds[running]))
			break;
		while (!__atomic_load_n(&rounds[running], __ATOMIC_RELAXED))
			sched_yield();
	}
	pthread_attr_destroy(&attributes);
	return running == WORKERS;
}

__attribute__((unused)) static void end_workers(void)
{
	__atomic_store_n(&stop_workers, 1, __ATOMIC_RELAXED);
	while (running)
		pthread_join(workers[--running], NULL);
	usleep(2000); /* joined, but maybe not quite gone */
	__atomic_store_n(&stop_workers, 0, __ATOMIC_RELAXED);
}

#endif
