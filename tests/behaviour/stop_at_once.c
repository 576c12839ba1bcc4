// test: LABELS soak TIMEOUT 60 NOT thread generic
/* SPDX-License-Identifier: MIT */
/*
 * All sites of a commit change at once: observers read the code of sites that are far apart, the first one twice around
 * the others. If the first was the same both times, the others must be in the same state. In live mode, which promises
 * less, observers see steps, as the last line shows. Other threads run through sites of every alignment; what they
 * return must fit what is bound.
 */
#include "stop_subjects.h"

#define FAR 40000 /* bytes between sites: several pages and writes */

/* Sites of one kind each, at every alignment, each far from the next. */
#define KEY_SITE(n) \
	static __attribute__((noinline)) int key_##n(void) \
	{ \
		SKIP_TO(64, FAR + 0##n); \
		return relink_unlikely(first) ? 1 : 0; \
	}
#define CALL_SITE(n) \
	static __attribute__((noinline)) int call_##n(void) \
	{ \
		int r; \
		SKIP_TO(64, FAR + 0##n); \
		r = settled(); \
		__asm__ volatile("" : "+r"(r)); \
		return r - 1; \
	}
EACH_64(KEY_SITE)
EACH_64(CALL_SITE)
#define PAGE_SITE(n) \
	static __attribute__((noinline)) int page_##n(void) \
	{ \
		int r; \
		SKIP_TO(4096, 4094 - 0##n); \
		r = settled(); \
		__asm__ volatile("" : "+r"(r)); \
		return r - 1; \
	}
EACH_8(PAGE_SITE, 0)
#define PAGE_NAME(n) page_##n,
#define KEY_NAME(n) key_##n,
#define CALL_NAME(n) call_##n,
static int (*const sites[])(void) = { EACH_64(KEY_NAME) EACH_64(CALL_NAME) EACH_8(PAGE_NAME, 0) };

static const volatile uint8_t *code[1024];
static size_t code_count;
static unsigned long mixed, looked, wrong, ran;

static int note_code(const struct relink_site_info *site, void *ctx)
{
	(void)ctx;
	if (strcmp(site->choice, "first") == 0 && code_count < COUNT(code))
		code[code_count++] = (const volatile uint8_t *)site->address;
	return 0;
}

/* The sites of `first` alone: 0xa9 or 0xe9, and all in the same direction. */
static void *observe(void *unused)
{
	while (running()) {
		uint8_t before = *code[0], after, differs = 0;

		for (size_t i = 1; i < code_count; i++)
			differs |= *code[i] ^ before;
		after = *code[0];
		__atomic_fetch_add(&looked, 1, __ATOMIC_RELAXED);
		if (before == after && differs)
			__atomic_fetch_add(&mixed, 1, __ATOMIC_RELAXED);
	}
	return unused;
}

static struct timeline line;

/* Each site shows the state of its time. */
static void *run(void *unused)
{
	while (running())
		for (size_t i = 0; i < COUNT(sites); i++) {
			unsigned long from = timeline_read(&line);
			int seen = sites[i]();
			unsigned long to = timeline_read(&line);

			ran++;
			if (from == to && !(from & 1) && (unsigned)seen != (from / 2 & 1))
				__atomic_fetch_add(&wrong, 1, __ATOMIC_RELAXED);
		}
	return unused;
}

static unsigned long commit_for(double seconds, int mode)
{
	double end = now() + seconds;
	unsigned long commits = 0;
	bool on = relink_unlikely(first);

	while (now() < end) {
		on = !on;
		timeline_step(&line);
		CHECK_CODE(set_all(on, mode, &err), RELINK_OK, &err);
		timeline_step(&line);
		commits++;
		sleep_for(200e-6);
	}
	return commits;
}

static bool all_bound(void)
{
	struct places p;

	find_places(&p, "settled");
	for (unsigned i = 0; i < 64; i++)
		CHECKF(p.at[i], "no site at offset %u of a cache line", i);
	CHECK(p.crossing[1] + p.crossing[2] + p.crossing[3] + p.crossing[4] > 0);
	return p.reasons[RELINK_BOUND] == p.sites;
}

int main(void)
{
	unsigned long commits;

	relink_stop_timeout(20000);
	CHECK(relink_each_site(note_code, NULL) == 0 && code_count >= 64);
	CHECK_CODE(set_all(false, RELINK_STOP, &err), RELINK_OK, &err);
	CHECK(all_bound());
	for (int i = 0; i < 6; i++)
		start(run, NULL);
	for (int i = 0; i < 2; i++)
		start(observe, NULL);
	commits = commit_for(soak_seconds(), RELINK_STOP);
	finish();
	printf("%lu stops, %lu calls, %lu observations, %lu of them mixed, %lu wrong\n", commits, ran, looked, mixed, wrong);
	CHECK(!mixed && !wrong && looked && commits > 3);
	CHECK(all_bound());
	start(observe, NULL);
	commits = commit_for(0.5, RELINK_LIVE);
	finish();
	printf("live: %lu commits, %lu mixed\n", commits, mixed);
	return check_done();
}
