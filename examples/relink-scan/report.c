/* SPDX-License-Identifier: MIT */
/* report.c - tables of what relink knows and of what was found in the files. */
#include "report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "util.h"

#define PATH_SHOWN 60

void report_heading(const char *text)
{
	printf("\n%s\n", text);
}

static void print_states(const struct choice *c)
{
	for (size_t i = 0; i < c->count; i++)
		printf(c->usable[i] ? " %s" : " (%s)", c->states[i]);
	putchar('\n');
}

void report_choices(const struct inventory *v)
{
	printf("  %-8s %-14s %-16s %13s   %s\n", "choice", "state", "decided by", "sites bound", "states; (not usable here)");
	for (size_t i = 0; i < v->count; i++) {
		const struct choice *c = &v->list[i];
		char sites[48];

		snprintf(sites, sizeof(sites), "%" PRIu64 " of %" PRIu64, c->bound, c->sites);
		printf("  %-8s %-14s %-16s %13s  ", c->name, c->state, relink_level_name(c->decided_by), sites);
		print_states(c);
	}
}

void report_choices_help(const struct inventory *v)
{
	report_heading("Choices for --relink:");
	for (size_t i = 0; i < v->count; i++) {
		const struct choice *c = &v->list[i];

		printf("  %-8s %s\n          ", c->name, c->doc);
		print_states(c);
	}
}

static bool reason_occurs(const struct relink_status *s, int reason)
{
	for (int kind = 0; kind < RELINK_SITE_KINDS; kind++)
		if (s->sites[kind][reason])
			return true;
	return reason == RELINK_BOUND;
}

static uint64_t sites_of_kind(const struct relink_status *s, int kind)
{
	uint64_t sum = 0;

	for (int reason = 0; reason < RELINK_REASONS; reason++)
		sum += s->sites[kind][reason];
	return sum;
}

static void print_site_kind(const struct relink_status *s, int kind)
{
	printf("  %-22s %8" PRIu64, relink_site_kind_name(kind), sites_of_kind(s, kind));
	for (int reason = 0; reason < RELINK_REASONS; reason++)
		if (reason_occurs(s, reason))
			printf(" %14" PRIu64, s->sites[kind][reason]);
	putchar('\n');
}

static void print_sites(const struct relink_status *s)
{
	printf("  %-22s %8s", "kind", "found");
	for (int reason = 0; reason < RELINK_REASONS; reason++)
		if (reason_occurs(s, reason))
			printf(" %14s", relink_reason_name(reason));
	putchar('\n');
	for (int kind = 0; kind < RELINK_SITE_KINDS; kind++)
		print_site_kind(s, kind);
}

/* Indented, one line each. */
static void print_notes(const char *notes)
{
	while (*notes) {
		size_t length = strcspn(notes, "\n");

		printf("  note: %.*s\n", (int)length, notes);
		notes += length + (notes[length] == '\n');
	}
}

void report_sites(void)
{
	struct relink_status s = { .size = sizeof(s) };

	if (relink_get_status(&s) < 0)
		die("relink gives no status");
	print_sites(&s);
	printf("  port %s, writer %s, barrier %s, words by %s\n", s.arch, s.writer, s.barrier,
	       s.one_store ? "one store" : "no store");
	printf("  mode %s\n", s.mode);
	print_notes(s.notes);
}

static void print_skipped(const struct totals *t)
{
	printf("  skipped %" PRIu64 " not regular, %" PRIu64 " unreadable", t->not_regular, t->unreadable);
	if (t->unreadable_path) {
		fputs(", such as ", stdout);
		print_name(stdout, t->unreadable_path, PATH_SHOWN);
		printf(" (%s)", strerror(t->unreadable_error));
	}
	putchar('\n');
}

void report_totals(const struct catalog *c, double seconds)
{
	struct totals t = catalog_totals(c);
	char size[SIZE_TEXT];

	printf("  %" PRIu64 " files in %" PRIu64 " directories, %s%s\n", t.files, c->walk.directories, size_text(size, t.bytes),
	       c->cut ? ", then the limit was reached" : "");
	printf("  %" PRIu64 " lines, %" PRIu64 " files are UTF-8, %" PRIu64 " are not, CRC-32C of all CRCs %08" PRIx32 "\n", t.lines,
	       t.utf8, t.files - t.utf8, t.crc);
	print_skipped(&t);
	printf("  %.2f s, %.2f GB/s, reading the files included\n", seconds, (double)t.bytes / seconds / 1e9);
}

void report_files(const struct catalog *c)
{
	printf("%-8s %12s %10s %-7s path\n", "CRC-32C", "bytes", "lines", "UTF-8");
	for (const struct file *f = c->first; f; f = f->next) {
		if (f->error || f->not_regular)
			continue;
		printf("%08" PRIx32 " %12" PRIu64 " %10" PRIu64 " %-7s ", f->found.crc, f->found.bytes, f->found.lines,
		       f->found.utf8 ? "yes" : "no");
		print_name(stdout, f->path, SIZE_MAX);
		putchar('\n');
	}
}

static void print_result(const char *what, const struct result *r)
{
	printf("    %-10s %" PRIu64 " bytes, %" PRIu64 " lines, CRC %08" PRIx32 ", %s\n", what, r->bytes, r->lines, r->crc,
	       r->utf8 ? "UTF-8" : "not UTF-8");
}

void report_difference(const struct tally *t)
{
	if (!t->different)
		return;
	fputs("  DIFFERENT: ", stdout);
	print_name(stdout, t->example->path, SIZE_MAX);
	putchar('\n');
	print_result("generic", &t->example->reference);
	print_result("but was", &t->wrong);
}
