/* SPDX-License-Identifier: MIT */
/*
 * stress.h - threads run through sites while others change them: what a thread saw must have been true while it looked.
 *
 * A committer numbers the states of its subject 0, 1, 2, ... on a timeline: `now` is 2n while state n is settled, and 2n + 1 while
 * n + 1 replaces it. Whoever looks at the subject reads `now` before and after. Between two readings of 2n only state n
 * may be seen: that is what "when commit returns, no thread enters the old binding" means.
 */
#ifndef TEST_STRESS_H
#define TEST_STRESS_H

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#define SANITIZED (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(undefined_behavior_sanitizer))
#else
#define SANITIZED 0
#endif

#include <pthread.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

/* ---- time ---- */

static bool over;

static inline bool running(void)
{
	return !__atomic_load_n(&over, __ATOMIC_RELAXED);
}

/* How long a test with the label soak runs. */
__attribute__((unused)) static double soak_seconds(void)
{
	const char *text = getenv("RELINK_SOAK_SECONDS");

	return text && atof(text) > 0 ? atof(text) : 2;
}

__attribute__((unused)) static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

__attribute__((unused)) static void sleep_for(double seconds)
{
	struct timespec left = { (time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9) };

	while (nanosleep(&left, &left) < 0)
		;
}

/* Lets others run. Who yields instead goes into debt with the scheduler of recent Linux, and on a busy machine pays for minutes. */
__attribute__((unused)) static void rest(void)
{
	sleep_for(20e-6);
}

struct chance {
	uint64_t state;
};

__attribute__((unused)) static uint32_t draw(struct chance *c, uint32_t below)
{
	c->state += UINT64_C(0x9e3779b97f4a7c15);
	uint64_t z = (c->state ^ c->state >> 30) * UINT64_C(0xbf58476d1ce4e5b9);

	return (uint32_t)((z ^ z >> 31) >> 16) % below;
}

/* Between two commits: nothing in half of the cases, else long enough that others see the settled state, or get the lock. */
__attribute__((unused)) static void linger(struct chance *c)
{
	uint32_t way = draw(c, 512);

	if (way < 32)
		rest();
	else if (way < 256)
		for (volatile uint32_t i = draw(c, 8 * way); i; i--)
			;
}

/* ---- timelines ---- */

struct timeline {
	unsigned long now;
} __attribute__((aligned(64)));

__attribute__((unused)) static unsigned long timeline_read(const struct timeline *t)
{
	return __atomic_load_n(&t->now, __ATOMIC_SEQ_CST);
}

/* The next state begins to replace the current one; it is settled. */
__attribute__((unused)) static void timeline_step(struct timeline *t)
{
	__atomic_fetch_add(&t->now, 1, __ATOMIC_SEQ_CST);
}

/* May state `seen`, which is some n modulo `period`, be seen between those readings? */
__attribute__((unused)) static bool timeline_allows(unsigned long first, unsigned long last, unsigned period, unsigned seen)
{
	unsigned long low = first / 2, high = (last + 1) / 2;

	return high - low + 1 >= period || (seen + period - low % period) % period <= high - low;
}

/* Instead of the second step: the change has failed, the state is what it was. */
__attribute__((unused)) static void timeline_fail(struct timeline *t, unsigned period)
{
	__atomic_fetch_add(&t->now, 2 * period - 1, __ATOMIC_SEQ_CST);
}

/* Was there a state that must not be seen? */
__attribute__((unused)) static bool timeline_tells(unsigned long first, unsigned long last, unsigned period)
{
	return (last + 1) / 2 - first / 2 + 1 < period;
}

/* ---- threads ---- */

static pthread_t team[64];
static unsigned team_size;

__attribute__((unused)) static void start(void *(*body)(void *), void *argument)
{
	if (CHECK(team_size < COUNT(team) && pthread_create(&team[team_size], NULL, body, argument) == 0))
		team_size++;
}

__attribute__((unused)) static void finish(void)
{
	__atomic_store_n(&over, true, __ATOMIC_RELAXED);
	while (team_size)
		pthread_join(team[--team_size], NULL);
	__atomic_store_n(&over, false, __ATOMIC_RELAXED);
}

/* ---- places in code ---- */

/* SKIP_TO(boundary, n): what follows starts n + 1 bytes after a multiple of `boundary`. EACH_64(M): M(00) M(01) ... M(077). */
#if RELINK_PATCHES_
#define SKIP_TO(boundary, n) __asm__ volatile("jmp 9f\n\t.balign " #boundary "\n\t.skip 1 + %c0\n9:" : : "i"(n))
#else
#define SKIP_TO(boundary, n) ((void)0)
#endif

#define EACH_8(M, tens) M(tens##0) M(tens##1) M(tens##2) M(tens##3) M(tens##4) M(tens##5) M(tens##6) M(tens##7)
#define EACH_16(M) EACH_8(M, 0) EACH_8(M, 01)
#define EACH_64(M) \
	EACH_8(M, 0) EACH_8(M, 01) EACH_8(M, 02) EACH_8(M, 03) EACH_8(M, 04) EACH_8(M, 05) EACH_8(M, 06) EACH_8(M, 07)

struct places {
	unsigned at[64];       /* sites by offset in a cache line */
	unsigned crossing[8];  /* by how many of their bytes are on the first of two pages */
	unsigned reasons[RELINK_REASONS];
	unsigned kinds[RELINK_SITE_KINDS];
	unsigned sites;
	const char *choice;    /* of this choice alone, if not NULL */
};

__attribute__((unused)) static int note_place(const struct relink_site_info *site, void *ctx)
{
	struct places *p = ctx;
	unsigned length = site->kind == RELINK_SITE_JCC ? 6 : 5, left = 4096 - site->address % 4096;

	if (p->choice && strcmp(site->choice, p->choice))
		return 0;
	p->at[site->address % 64]++;
	if (left < length)
		p->crossing[left]++;
	p->reasons[site->reason]++;
	p->kinds[site->kind]++;
	p->sites++;
	return 0;
}

/* Fills in where the sites of a choice are. */
__attribute__((unused)) static void find_places(struct places *p, const char *choice)
{
	memset(p, 0, sizeof(*p));
	p->choice = choice;
	CHECK(relink_each_site(note_place, p) == 0);
}

__attribute__((unused)) static void check_places(const struct places *p)
{
	for (unsigned i = 0; i < 64; i++)
		CHECKF(p->at[i], "%s: no site at offset %u of a cache line", p->choice, i);
	/* A sanitizer's code is longer, and its layout another: there every way to cross a page need not occur. */
	for (unsigned i = 1; i < 5 && !SANITIZED; i++)
		CHECKF(p->crossing[i], "%s: no site with %u bytes on the first of two pages", p->choice, i);
}

#endif
