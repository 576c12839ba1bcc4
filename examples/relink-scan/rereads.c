/* SPDX-License-Identifier: MIT */
/* rereads.c - reads files again through each backend of `source`, and while backends are exchanged. */
#include "rereads.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flipper.h"
#include "report.h"
#include "util.h"

/* Of the files, so that a pass takes a moment. */
#define MOST_BYTES ((uint64_t)32 << 20)

struct rereads {
	struct catalog *catalog;
	struct workers *workers;
	double seconds;
	struct tally sum;
};

static void print_row(const char *name, const struct tally *t, unsigned passes, double seconds)
{
	printf("  %-34s %9.2f %7u %10" PRIu64 " %9" PRIu64 " %16" PRIu64 "\n", name, (double)t->bytes / seconds / 1e9, passes,
	       t->files, t->different, t->changed);
	report_difference(t);
	fflush(stdout);
}

/* Whole passes, until the time is up. */
static void read_again(struct rereads *run, const char *name)
{
	uint64_t start = now_ns(), ns;
	unsigned passes = 0;
	struct tally t;

	do {
		catalog_pass(run->catalog, JOB_REREAD, MOST_BYTES);
		passes++;
		ns = now_ns() - start;
	} while ((double)ns < run->seconds * 1e9);
	t = workers_take(run->workers, NULL);
	print_row(name, &t, passes, (double)ns / 1e9);
	run->sum.files += t.files;
	run->sum.different += t.different;
}

static void bind(const struct choice *c, const char *state)
{
	struct relink_commit commit = RELINK_COMMIT;
	struct relink_error err;

	if (state)
		relink_set(&commit, c->name, state);
	else
		relink_unset(&commit, c->name);
	if (relink_commit(&commit, RELINK_LIVE, &err) < 0)
		die("%s", relink_error_text(&err));
}

static void one_backend(struct rereads *run, const struct choice *c, const char *state)
{
	bind(c, state);
	read_again(run, state);
}

/* The default comes first; the order in which states are listed is the compiler's. */
static void each_backend(struct rereads *run, const struct choice *c)
{
	one_backend(run, c, c->initial);
	for (size_t i = 0; i < c->count; i++)
		if (c->usable[i] && strcmp(c->states[i], c->initial) != 0)
			one_backend(run, c, c->states[i]);
	bind(c, NULL);
}

static void all_along(struct rereads *run, const struct choice *c)
{
	const struct inventory only = inventory_of(c);
	struct flipper flipper;
	char median[SIZE_TEXT];

	flipper_start(&flipper, &only);
	read_again(run, "all of them, exchanged all along");
	flipper_stop(&flipper);
	if (flipper.status < 0)
		die("%s", relink_error_text(&flipper.error));
	bind(c, NULL);
	printf("  %" PRIu64 " commits in the last line, median %s, each over the three operations;\n"
	       "  files that are open then go on with the next backend\n",
	       flipper.commits, time_text(median, samples_quantile(&flipper.latency, 0.5)));
	free(flipper.latency.ns);
}

uint64_t rereads_run(struct catalog *c, struct workers *w, const struct inventory *v, double seconds)
{
	struct rereads run = { .catalog = c, .workers = w, .seconds = seconds / 4 };
	const struct choice *source = inventory_find(v, "source");
	char most[SIZE_TEXT];

	if (!source)
		die("there is no choice \"source\"");
	printf("  the first %s of the files; the kernel has them in memory, disks would say something else\n",
	       size_text(most, MOST_BYTES));
	printf("  %-34s %9s %7s %10s %9s %16s\n", "source", "GB/s", "passes", "results", "different", "changed on disk");
	workers_take(w, NULL);
	if (source->changes) {
		each_backend(&run, source);
		all_along(&run, source);
	} else {
		read_again(&run, source->state);
		printf("  source stays %s: %s\n", source->state, source->why);
	}
	if (run.sum.different)
		printf("  FAILED: %" PRIu64 " of %" PRIu64 " files were read otherwise than at first\n", run.sum.different,
		       run.sum.files);
	else
		printf("  all %" PRIu64 " results equal those of the first reading\n", run.sum.files);
	return run.sum.different;
}
