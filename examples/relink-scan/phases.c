/* SPDX-License-Identifier: MIT */
/* phases.c - throughput before, during and after live changes. */
#include "phases.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "flipper.h"
#include "report.h"
#include "util.h"

#define WAKES_KEPT ((size_t)1 << 16)

struct run {
	struct catalog *catalog;
	struct workers *workers;
	const struct inventory *choices;
	double seconds;
	struct samples wakes;
	uint64_t checked, different;
};

static void account(struct run *run, const struct tally *t)
{
	run->checked += t->files;
	run->different += t->different;
	report_difference(t);
}

static void print_columns(void)
{
	printf("  %-34s %9s %7s %10s %9s %8s %12s\n", "phase", "GB/s", "passes", "results", "different", "waits", "median wake");
}

static void print_phase(struct run *run, const char *title, const struct tally *t, double seconds, unsigned passes)
{
	char wake[SIZE_TEXT] = "-";

	if (run->wakes.seen)
		time_text(wake, samples_quantile(&run->wakes, 0.5));
	printf("  %-34s %9.2f %7u %10" PRIu64 " %9" PRIu64 " %8" PRIu64 " %12s\n", title, (double)t->bytes / seconds / 1e9, passes,
	       t->files, t->different, run->wakes.seen, wake);
	fflush(stdout);
}

/* Whole passes over all files, until the time is up. */
static void phase(struct run *run, const char *title)
{
	uint64_t start = now_ns(), ns;
	unsigned passes = 0;
	struct tally t;

	do {
		catalog_pass(run->catalog, JOB_SCAN, UINT64_MAX);
		passes++;
		ns = now_ns() - start;
	} while ((double)ns < run->seconds * 1e9);
	samples_clear(&run->wakes);
	t = workers_take(run->workers, &run->wakes);
	print_phase(run, title, &t, (double)ns / 1e9, passes);
	account(run, &t);
}

static void must(int status, const struct relink_error *err)
{
	if (status < 0)
		die("%s", relink_error_text(err));
}

static struct relink_status status_now(void)
{
	struct relink_status s = { .size = sizeof(s) };

	if (relink_get_status(&s) < 0)
		die("relink gives no status");
	return s;
}

static void print_commits(struct flipper *f, const struct relink_status *before, const struct relink_status *after,
			  uint64_t traced)
{
	double n = f->commits ? (double)f->commits : 1;
	char low[SIZE_TEXT], median[SIZE_TEXT], high[SIZE_TEXT], most[SIZE_TEXT];

	puts("  waits: how often a worker found the queue empty; wake: from the queueing of a job until that worker had it;\n"
	     "  phase 3 runs the slow variants as often as the fast ones, and shares the CPUs with the thread that changes them");
	printf("  %" PRIu64 " commits in phase 3: median %s, middle half %s to %s, longest %s;\n", f->commits,
	       time_text(median, samples_quantile(&f->latency, 0.5)), time_text(low, samples_quantile(&f->latency, 0.25)),
	       time_text(high, samples_quantile(&f->latency, 0.75)), time_text(most, samples_quantile(&f->latency, 1)));
	printf("  %.1f writes to code and %.1f barriers each; %" PRIu64 " files traced meanwhile, only counted\n",
	       (double)(after->writes - before->writes) / n, (double)(after->barriers - before->barriers) / n, traced);
}

static void phase_with_flips(struct run *run, struct flipper *f)
{
	flipper_start(f, run->choices);
	phase(run, "3 all variants, changed all along");
	flipper_stop(f);
	must(f->status, &f->error);
}

static void all_phases(struct run *run)
{
	struct relink_error err;
	struct relink_status before, after;
	struct flipper flipper;
	uint64_t traced;

	print_columns();
	must(inventory_set_generic(run->choices, &err), &err);
	phase(run, "1 generic variants");
	must(inventory_release(run->choices, &err), &err);
	phase(run, "2 best variants");
	before = status_now();
	traced = trace_count();
	phase_with_flips(run, &flipper);
	after = status_now();
	traced = trace_count() - traced;
	must(inventory_release(run->choices, &err), &err);
	phase(run, "4 best variants again");
	print_commits(&flipper, &before, &after, traced);
	free(flipper.latency.ns);
}

/* What the choices that don't change mean for the phases. */
static void print_fixed(const struct inventory *v)
{
	for (size_t i = 0; i < v->count; i++)
		if (!v->list[i].changes)
			printf("  %s stays %s in all phases: %s\n", v->list[i].name, v->list[i].state, v->list[i].why);
}

static void make_reference(struct run *run)
{
	struct tally t;
	uint64_t start = now_ns();

	workers_take(run->workers, NULL);
	catalog_pass(run->catalog, JOB_REFERENCE, UINT64_MAX);
	t = workers_take(run->workers, NULL);
	printf("  reference: all files at once by direct calls of the generic routines, %.2f GB/s\n",
	       (double)t.bytes / (double)(now_ns() - start));
	account(run, &t);
}

uint64_t phases_run(struct catalog *c, struct workers *w, const struct inventory *v, double seconds)
{
	struct run run = { .catalog = c, .workers = w, .choices = v, .seconds = seconds };

	samples_make(&run.wakes, WAKES_KEPT);
	trace_quietly(true);
	print_fixed(v);
	make_reference(&run);
	all_phases(&run);
	free(run.wakes.ns);
	if (run.different)
		printf("  FAILED: %" PRIu64 " of %" PRIu64 " results differ from those of the generic routines\n", run.different,
		       run.checked);
	else
		printf("  all %" PRIu64 " results equal those of the generic routines\n", run.checked);
	return run.different;
}
