/* SPDX-License-Identifier: MIT */
/* test: LABELS soak VARIANTS "-O2 -DSTORES" "-O2 -DTRAPS" "-O2" "-O0 -DTRAPS" "-O2 -DSTORES -DTRAPS" NOT generic thread */
/*
 * pointers_stress.c - calls and jumps through pointers at every alignment are led from target to target by several committers,
 * live and now and then in stop mode, under threads that call. What a thread saw must have been true while it looked.
 */
#include <sys/mman.h>

#include "stress.h"

#define READERS 6
#define TARGETS 16

/* Target k of x is 16 x + k. They are so far from each other that several bytes of a call change. */
#define TARGET(n) \
	static unsigned target_##n(unsigned x) \
	{ \
		SKIP_TO(64, (n % 4 == 1 ? 66001 : 1003)); \
		return 16 * x + n; \
	}
EACH_16(TARGET)
#define TARGET_NAME(n) target_##n,
static unsigned (*targets[])(unsigned) = { EACH_16(TARGET_NAME) };

/* Some are out of reach: calls go through the variable again. */
static void move_away(unsigned n)
{
	const uint8_t code[] = { 0x6b, 0xc7, 0x10, 0x83, 0xc0, (uint8_t)n, 0xc3 }; /* imul $16,%edi,%eax; add $n,%eax; ret */
	uint8_t *page = mmap((void *)0x100000000000, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (!CHECK(page != MAP_FAILED))
		return;
	memcpy(page, code, sizeof(code));
	CHECK(!mprotect(page, 4096, PROT_READ | PROT_EXEC));
	targets[n] = (unsigned (*)(unsigned))(uintptr_t)page;
}

struct routes {
	unsigned (*called)(unsigned x);
	unsigned (*jumped_to)(unsigned x);
};

RELINK_POINTER static struct routes routes = { target_00, target_00 };
RELINK_POINTER_INFO(routes, "two members that change by themselves");
RELINK_POINTER static unsigned (*pair[2])(unsigned) = { target_00, target_00 };
RELINK_POINTER_INFO(pair, "two elements that change together");

/* ---- sites ---- */

#define APART __attribute__((noinline))
#define CALL(n) APART static unsigned call_##n(unsigned x) { SKIP_TO(64, n); return routes.called(x) + 1; }
#define TAIL(n) APART static unsigned tail_##n(unsigned x) { SKIP_TO(64, n); return routes.jumped_to(x); }
#define PAIR(n) APART static unsigned pair_##n(unsigned x) { SKIP_TO(64, n); return pair[n % 2](x) + 1; }
#define CROSSING(n) APART static unsigned crossing_##n(unsigned x) { SKIP_TO(4096, 4079 + n); return routes.called(x) + 1; }
EACH_64(CALL)
EACH_64(TAIL)
EACH_64(PAIR)
EACH_16(CROSSING)

typedef unsigned site(unsigned x);
#define CALL_NAME(n) call_##n,
#define TAIL_NAME(n) tail_##n,
#define PAIR_NAME(n) pair_##n,
#define CROSSING_NAME(n) crossing_##n,
static site *const calls[] = { EACH_64(CALL_NAME) EACH_16(CROSSING_NAME) };
static site *const tails[] = { EACH_64(TAIL_NAME) };
static site *const pairs[] = { EACH_64(PAIR_NAME) };

enum { CALLED, JUMPED_TO, PAIR_, SUBJECTS };

static struct subject {
	struct timeline timeline;
	site *const *sites;
	unsigned site_count, more;
	unsigned long looks, tellings, commits;
} subjects[SUBJECTS] = {
	[CALLED] = { .sites = calls, .site_count = COUNT(calls), .more = 1 },
	[JUMPED_TO] = { .sites = tails, .site_count = COUNT(tails) },
	[PAIR_] = { .sites = pairs, .site_count = COUNT(pairs), .more = 1 },
};

static void look(struct subject *s, unsigned x)
{
	unsigned long first = timeline_read(&s->timeline), last;
	unsigned seen = s->sites[x % s->site_count](x) - s->more;

	last = timeline_read(&s->timeline);
	CHECKF(seen / 16 == x && timeline_allows(first, last, TARGETS, seen % 16), "subject %d, site %u: saw %u between %lu and %lu",
	       (int)(s - subjects), x % s->site_count, seen % 16, first, last);
	__atomic_fetch_add(&s->looks, 1, __ATOMIC_RELAXED);
	if (timeline_tells(first, last, TARGETS))
		__atomic_fetch_add(&s->tellings, 1, __ATOMIC_RELAXED);
}

static void *reader(void *unused)
{
	for (unsigned x = 0; running(); x++) {
		look(&subjects[x % SUBJECTS], x / SUBJECTS % 1024);
		if (x % 16 == 0)
			rest();
	}
	return unused;
}

/* ---- committers ---- */

static int set(int which, unsigned n, int mode, struct relink_error *err)
{
	struct relink_commit c = RELINK_COMMIT;

	if (which == CALLED && mode == RELINK_LIVE)
		return relink_pointer_set(routes.called, targets[n % TARGETS], err);
	if (which == CALLED)
		relink_set_pointer(&c, routes.called, targets[n % TARGETS]);
	if (which == JUMPED_TO)
		relink_set_pointer(&c, routes.jumped_to, targets[n % TARGETS]);
	if (which == PAIR_) {
		relink_set_pointer(&c, pair[0], targets[n % TARGETS]);
		relink_set_pointer(&c, pair[1], targets[n % TARGETS]);
	}
	return relink_commit(&c, mode, err);
}

static void *committer(void *argument)
{
	struct subject *s = argument;
	struct chance chance = { (uint64_t)(s - subjects) };
	struct relink_error err;

	for (unsigned n = 1; running(); n++) {
		int mode = draw(&chance, 256) == 0 ? RELINK_STOP : RELINK_LIVE, r;

		timeline_step(&s->timeline);
		r = set((int)(s - subjects), n, mode, &err);
		if (r == RELINK_E_STOP) {
			timeline_fail(&s->timeline, TARGETS);
			n--;
			continue;
		}
		timeline_step(&s->timeline);
		CHECK_CODE(r, RELINK_OK, &err);
		s->commits++;
		linger(&chance);
	}
	return NULL;
}

/* ---- afterwards ---- */

static void check_site(const struct relink_site_info *info, const struct relink_status *status)
{
	bool bound = info->reason == RELINK_BOUND, word = (info->address & 7) <= 2;

	CHECKF(bound == (status->traps || (status->one_store && word)), "%s at %#lx: %s", info->choice, (unsigned long)info->address,
	       relink_reason_name(info->reason));
}

struct walk {
	struct relink_status status;
	unsigned at[64], crossing[8], sites;
};

static int visit(const struct relink_site_info *info, void *ctx)
{
	unsigned left = 4096 - info->address % 4096;
	struct walk *w = ctx;

	if (info->kind != RELINK_SITE_POINTER_CALL && info->kind != RELINK_SITE_POINTER_TAIL)
		return 0;
	check_site(info, &w->status);
	w->at[info->address % 64]++;
	if (left < 6)
		w->crossing[left]++;
	w->sites++;
	return 0;
}

static void check_sites(void)
{
	struct walk w = { .status.size = sizeof(w.status) };

	CHECK(!relink_get_status(&w.status) && !relink_each_site(visit, &w));
	printf("%u sites\n", w.sites);
#ifdef __OPTIMIZE__
	CHECKF(w.sites == COUNT(calls) + COUNT(tails) + COUNT(pairs), "%u sites", w.sites);
	for (unsigned i = 0; i < 64; i++)
		CHECKF(w.at[i], "no site at offset %u of a cache line", i);
	for (unsigned i = 1; i < 6 && !SANITIZED; i++)
		CHECKF(w.crossing[i], "no site with %u bytes on the first of two pages", i);
#endif
}

int main(void)
{
	struct relink_error err;

#ifdef STORES
	check_allow_stores();
#endif
#ifdef TRAPS
	relink_declare(RELINK_TRAPS, &err);
#endif
	move_away(5);
	move_away(6);
	move_away(11);
	CHECK_CODE(relink_pointers_commit(&err), 0, &err);
	for (unsigned i = 0; i < READERS; i++)
		start(reader, NULL);
	for (unsigned i = 0; i < SUBJECTS; i++)
		start(committer, &subjects[i]);
	sleep_for(soak_seconds());
	finish();
	for (int i = 0; i < SUBJECTS; i++)
		CHECK_CODE(set(i, 0, RELINK_LIVE, &err), RELINK_OK, &err);
	check_sites();
	for (unsigned i = 0; i < SUBJECTS; i++) {
		const struct subject *s = &subjects[i];

		printf("%u: %lu commits, %lu looks, of which %lu could fail\n", i, s->commits, s->looks, s->tellings);
		CHECK(s->commits > 10 && s->tellings > s->looks / 1000);
	}
	return check_done();
}
