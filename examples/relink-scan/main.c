/* SPDX-License-Identifier: MIT */
/*
 * relink-scan - a parallel scanner of files: lines, UTF-8, CRC-32C.
 *
 * Its inner routines are static calls, tracing is a static key, what idle workers do is an option (choices.h), how files
 * are read is an operations table (source.h), and what all threads count has lock prefixes only while there are threads
 * (locks.h). It shows what relink makes of them and exchanges them while the workers run.
 */
#include <stdio.h>
#include <stdlib.h>

#include "catalog.h"
#include "choices.h"
#include "inventory.h"
#include "locks.h"
#include "options.h"
#include "phases.h"
#include "report.h"
#include "rereads.h"
#include "sites.h"
#include "util.h"
#include "workers.h"

static unsigned cpus(void)
{
	struct relink_facts facts = { .size = sizeof(facts) };

	if (relink_get_facts(&facts) < 0 || facts.cpus < 1)
		return 1;
	return facts.cpus < WORKERS_MOST ? facts.cpus : WORKERS_MOST;
}

static void show_help(void)
{
	struct inventory v;

	options_help();
	inventory_read(&v);
	report_choices_help(&v);
	inventory_free(&v);
}

static void check_paths(const struct options *o)
{
	for (int i = 0; i < o->path_count; i++) {
		const char *why = walk_refuses(o->paths[i]);

		if (why)
			die("%s: %s", o->paths[i], why);
	}
}

static void show_choices(const struct inventory *v)
{
	report_heading("Choices");
	report_choices(v);
	report_heading("Sites");
	report_sites();
}

static void read_input(struct catalog *c, const struct options *o, struct workers *w)
{
	uint64_t start = now_ns();

	catalog_read(c, o->paths, o->path_count, o->limit, &w->queue);
	report_heading("Input");
	report_totals(c, (double)(now_ns() - start) / 1e9);
	if (o->list) {
		report_heading("Files");
		report_files(c);
	}
}

/* Returns how many results were wrong. */
static uint64_t show_changes(struct catalog *c, const struct options *o, struct workers *w, struct inventory *v)
{
	static const char *const operations[] = { "begin", "look", "fill", NULL };
	uint64_t wrong;

	if (catalog_totals(c).bytes == 0)
		die("no phases: there is not a byte to scan in %s%s", o->paths[0], o->path_count > 1 ? " and the others" : "");
	inventory_try(v);
	report_heading("Machine code, before and after a commit");
	sites_show(v, "crc");
	sites_show(v, "trace");
	sites_show_table(v, "source", "mmap_source", operations);
	report_heading("Throughput from memory, while choices are changed");
	wrong = phases_run(c, w, v, o->seconds);
	report_heading("Throughput from files, while the operations table `source` is exchanged");
	return wrong + rereads_run(c, w, v, o->seconds);
}

static uint64_t run(const struct options *o)
{
	struct inventory choices;
	struct workers workers;
	struct catalog catalog;
	uint64_t wrong = 0;

	printf("relink-scan: %u worker threads\n", o->threads);
	report_heading("Lock prefixes of the counters");
	locks_show_alone();
	workers_start(&workers, o->threads, o->seconds > 0);
	locks_show_threads(o->threads);
	inventory_read(&choices);
	show_choices(&choices);
	read_input(&catalog, o, &workers);
	if (o->seconds > 0)
		wrong = show_changes(&catalog, o, &workers, &choices);
	report_heading("Counters");
	wrong += !locks_show_counts(&workers);
	workers_stop(&workers);
	catalog_free(&catalog);
	inventory_free(&choices);
	return wrong;
}

int main(int argc, char **argv)
{
	struct relink_error err;
	struct options options;
	uint64_t wrong = 0;

	if (relink_init(&argc, argv, &err) < 0)
		die("%s", relink_error_text(&err));
	/* So that calls which change under the workers are direct ones, too. A system that forbids it costs them a jump. */
	(void)relink_declare(RELINK_WRITABLE_CODE, &err);
	options_parse(&options, argc, argv);
	if (options.threads == 0)
		options.threads = cpus();
	if (options.help) {
		show_help();
	} else {
		check_paths(&options);
		wrong = run(&options);
	}
	if (fflush(stdout) || ferror(stdout))
		die("can't write the output");
	return wrong ? EXIT_DIFFERENT : EXIT_SUCCESS;
}
