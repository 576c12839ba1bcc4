/* SPDX-License-Identifier: MIT */
/*
 * commit.c - what it costs to flip one key with BENCH_SITES sites, beside the bare limits on the same pages.
 *
 *	PROGRAM warm         every writer in turn, many rounds; every flip is followed by the flip back
 *	PROGRAM first WHAT   one flip in a fresh process, by one writer: with the page faults that it causes
 *	PROGRAM start        see start.h
 */
#include "bench.h"
#include "busy.h"
#include "limits.h"
#include "sites.h"
#include "start.h"

#include <relink/relink.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

RELINK_KEY_FALSE(bench_key, "the key of all sites");

static struct relink_error err;

static int startup(int on)
{
	struct relink_commit c = RELINK_COMMIT;

	relink_set_key(&c, bench_key, on);
	return relink_commit(&c, RELINK_STARTUP, &err);
}

static int live(int on)
{
	return relink_key_set(bench_key, on, &err);
}

struct writer {
	const char *name, *to; /* without what shape() adds */
	int (*flip)(int on);
	int threads;           /* that are busy meanwhile */
	int once;              /* changes the mapping: measured when all others are done */
};

static const struct writer writers[] = {
	{ "limit.procmem", NULL, limit_procmem, 0, 0 },
	{ "limit.rwx", NULL, limit_rwx, 0, 0 },
	{ "limit.procmem.live.0", NULL, limit_procmem_barrier, 0, 0 },
	{ "limit.procmem.live.1", NULL, limit_procmem_barrier, 1, 0 },
	{ "limit.procmem.live.8", NULL, limit_procmem_barrier, 8, 0 },
	{ "limit.alias", NULL, limit_alias, 0, 1 },
	{ "commit.startup", "limit.procmem", startup, 0, 0 },
	{ "commit.live.0", "limit.procmem.live.0", live, 0, 0 },
	{ "commit.live.1", "limit.procmem.live.1", live, 1, 0 },
	{ "commit.live.8", "limit.procmem.live.8", live, 8, 0 },
};
#define WRITERS (sizeof(writers) / sizeof(*writers))

static struct bench_series series[WRITERS];
static char to[WRITERS][64];

/* commit.startup -> commit.startup.perpage.100 */
static void full_name(char *out, size_t size, const char *name, const char *which)
{
	snprintf(out, size, "%s%s%s.%lu", name, which, BENCH_STRIDE == BENCH_PAGE ? ".perpage" : "", (unsigned long)BENCH_SITES);
}

static struct bench_series *series_of(size_t i, const char *which)
{
	full_name(series[i].name, sizeof(series[i].name), writers[i].name, which);
	if (writers[i].to)
		full_name(to[i], sizeof(to[i]), writers[i].to, which);
	series[i].to = writers[i].to ? to[i] : NULL;
	series[i].unit = "ns/site";
	return &series[i];
}

/* Nanoseconds of one flip. */
static double flip(const struct writer *w, int on)
{
	uint64_t start = bench_now(), stop;
	int error = w->flip(on);

	stop = bench_now();
	if (error < 0)
		bench_die("%s with %lu sites: %s", w->name, (unsigned long)BENCH_SITES, relink_error_text(&err));
	if (error > 0)
		bench_die("%s with %lu sites: %s", w->name, (unsigned long)BENCH_SITES, strerror(error));
	return (double)(stop - start);
}

static void check(const struct writer *w, int on)
{
	unsigned long expected = on ? 0 : BENCH_SITES;

	if (bench_count() != expected)
		bench_die("%s with %lu sites: the code does not do what was asked", w->name, (unsigned long)BENCH_SITES);
}

/* There and back, so that everybody finds the key off. */
static double flip_both(const struct writer *w)
{
	double time = flip(w, 1);

	return (time + flip(w, 0)) / 2 / BENCH_SITES;
}

/* With busy threads only a flip during which one of them ran counts: without anybody to interrupt, a barrier is free. */
static double sample(const struct writer *w)
{
	unsigned long before;
	double time;
	int tries = 0;

	do {
		before = busy_progress();
		time = flip_both(w);
	} while (w->threads && busy_progress() == before && ++tries < 10000);
	return time;
}

/* Policies may forbid mappings that are writable and executable; that limit is left out then. */
static int allowed(const struct writer *w)
{
	int error = w->flip == limit_rwx || w->flip == limit_alias ? w->flip(0) : 0;

	if (error)
		bench_note("%s with %lu sites: %s", w->name, (unsigned long)BENCH_SITES, strerror(error));
	return !error;
}

static unsigned rounds(void)
{
	unsigned long pages = BENCH_BYTES / BENCH_PAGE;

	return pages < 1 ? 501 : pages <= 100 ? 201 : pages <= 1000 ? 41 : pages <= 10000 ? 15 : 9;
}

/* All writers with this many busy threads, interleaved; `once` picks those that spoil the mapping for the others. */
static void warm(int threads, int once)
{
	unsigned chosen[WRITERS], order[WRITERS], count = 0;

	for (unsigned i = 0; i < WRITERS; i++)
		if (writers[i].threads == threads && writers[i].once == once && allowed(&writers[i]))
			chosen[count++] = i;
	for (unsigned round = 0; round < rounds(); round++) {
		bench_order(order, count, round);
		for (unsigned i = 0; i < count; i++)
			bench_add(&series[chosen[order[i]]], sample(&writers[chosen[order[i]]]));
	}
	for (unsigned i = 0; i < count; i++)
		bench_print(series_of(chosen[i], ""));
}

static void warm_all(void)
{
	static const struct writer settle = { "the first commit", NULL, live, 0, 0 };

	flip(&settle, 1); /* the first flip of the process is another quantity */
	check(&settle, 1);
	flip(&settle, 0);
	warm(0, 0);
	for (int threads = 1; threads <= 8; threads += 7) {
		busy_start((unsigned)threads);
		warm(threads, 0);
		busy_stop();
	}
	check(&settle, 0);
	warm(0, 1);
}

/* Without touching the sites, whose first change is to be measured. */
static int rwx_allowed(void)
{
	void *page = mmap(NULL, BENCH_PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return page != MAP_FAILED && munmap(page, BENCH_PAGE) == 0;
}

static int first(const char *name)
{
	for (unsigned i = 0; i < WRITERS; i++) {
		if (strcmp(writers[i].name, name))
			continue;
		if (writers[i].flip == limit_rwx && !rwx_allowed())
			return 0;
		bench_add(&series[i], flip(&writers[i], 1) / BENCH_SITES);
		bench_print(series_of(i, ".first"));
		check(&writers[i], 1);
		return 0;
	}
	return 2;
}

int main(int argc, char **argv)
{
	if (bench_start(argc, argv))
		return 0;
	bench_pin_first();
	if (limit_prepare())
		bench_die("%s: no /proc/self/mem, or no membarrier", argv[0]);
	if (argc == 3 && !strcmp(argv[1], "first"))
		return first(argv[2]);
	if (argc != 2 || strcmp(argv[1], "warm"))
		bench_die("usage: %s warm | first WRITER | start", argv[0]);
	warm_all();
	return 0;
}
