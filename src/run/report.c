/* SPDX-License-Identifier: MIT */
/* report.c - what was bound, for whoever asked: the library itself never prints. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "run/run.h"

#define PAGE 4096u

#define HIGH 200 /* out of the way of programs that count on the next descriptor */

static struct stat standard_error;
static struct rl_run_options *reporting;

/* A child that becomes a daemon must not hold the other end of a pipe. */
static void note_child(void)
{
	struct stat now;
	int descriptor = reporting->descriptor;

	if (!reporting->child && descriptor >= 0 && fstat(descriptor, &now) == 0 && now.st_dev == standard_error.st_dev &&
	    now.st_ino == standard_error.st_ino)
		close(descriptor);
	reporting->child = true;
}

void rl_run_began(struct rl_run_options *options, const struct relink_error *err)
{
	options->error = *err;
	options->descriptor = -1;
	reporting = options;
	if (!options->report[0] || pthread_atfork(NULL, NULL, note_child))
		return;
	if (!strcmp(options->report, "-") && fstat(STDERR_FILENO, &standard_error) == 0)
		options->descriptor = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, HIGH);
}

static uint64_t left(const struct relink_linkage_info *info)
{
	uint64_t n = 0;

	for (int i = 0; i < RELINK_LINK_STATES; i++)
		n += i == RELINK_LINK_BOUND || i == RELINK_LINK_OUT_OF_RANGE ? 0 : info->calls[i];
	return n;
}

/* The most frequent reason. */
static const char *main_reason(const struct relink_linkage_info *info)
{
	int most = -1;

	if (info->why)
		return info->why;
	for (int i = 0; i < RELINK_LINK_STATES; i++)
		if (i != RELINK_LINK_BOUND && i != RELINK_LINK_OUT_OF_RANGE && info->calls[i] && (most < 0 || info->calls[i] > info->calls[most]))
			most = i;
	return most < 0 ? "" : relink_linkage_state_name(most);
}

struct totals {
	FILE *to;
	uint64_t bound, pages, differ;
	int count;
};

static int print_line(const struct relink_linkage_info *info, void *ctx)
{
	struct totals *t = ctx;

	t->bound += info->calls[RELINK_LINK_BOUND];
	t->pages += info->pages;
	t->differ += info->differ;
	fprintf(t->to, "%-28s %8llu %8llu %8llu %8llu %7llu KiB  %s\n", info->module, (unsigned long long)info->found,
		(unsigned long long)info->calls[RELINK_LINK_BOUND], (unsigned long long)info->calls[RELINK_LINK_OUT_OF_RANGE],
		(unsigned long long)left(info), (unsigned long long)(info->pages * PAGE / 1024), main_reason(info));
	return 0;
}

static int print_json_line(const struct relink_linkage_info *info, void *ctx)
{
	struct totals *t = ctx;

	fprintf(t->to, "%s\n    {\"module\": \"", t->count++ ? "," : "");
	for (const char *c = info->path; *c; c++)
		fprintf(t->to, (unsigned char)*c < ' ' || *c == '"' || *c == '\\' ? "\\u%04x" : "%c", (unsigned char)*c);
	fprintf(t->to, "\", \"slots\": %llu, \"lazy\": %llu, \"found\": %llu, \"decoded\": %s, \"learned\": %llu, \"pages\": %llu",
		(unsigned long long)info->slots, (unsigned long long)info->lazy, (unsigned long long)info->found,
		info->decoded ? "true" : "false", (unsigned long long)info->learned, (unsigned long long)info->pages);
	for (int i = 0; i < RELINK_LINK_STATES; i++)
		fprintf(t->to, ", \"%s\": %llu", relink_linkage_state_name(i), (unsigned long long)info->calls[i]);
	fprintf(t->to, ", \"differ\": %llu, \"why\": %s%s%s}", (unsigned long long)info->differ, info->why ? "\"" : "",
		info->why ? info->why : "null", info->why ? "\"" : "");
	return 0;
}

static void print_json(FILE *to, const struct rl_run_options *options)
{
	struct relink_linkage_status status = { .size = sizeof(status) };
	struct totals t = { .to = to };

	fprintf(to, "{\"modules\": [");
	relink_each_linkage(&status, print_json_line, &t);
	fprintf(to, "\n  ], \"start_ns\": %llu, \"learn_ns\": %llu, \"recorded\": %llu, \"watching\": %llu, \"error\": \"%s\"}\n",
		(unsigned long long)status.start_ns, (unsigned long long)status.learn_ns, (unsigned long long)status.recorded,
		(unsigned long long)status.watching, options->error.code ? relink_code_name(options->error.code) : "");
}

static void print(FILE *to, const struct rl_run_options *options)
{
	struct relink_linkage_status status = { .size = sizeof(status) };
	struct totals t = { .to = to };

	fprintf(to, "%-28s %8s %8s %8s %8s %11s\n", "module", "found", "bound", "too far", "left", "private");
	relink_each_linkage(&status, print_line, &t);
	fprintf(to, "%-28s %17llu %30llu KiB\n", "all", (unsigned long long)t.bound, (unsigned long long)(t.pages * PAGE / 1024));
	fprintf(to, "start-up %.2f ms, learning %.2f ms; %llu calls recorded, %llu slots still watched\n", (double)status.start_ns / 1e6,
		(double)status.learn_ns / 1e6, (unsigned long long)status.recorded, (unsigned long long)status.watching);
	if (options->linkage.flags & RELINK_LINKAGE_VERIFY)
		fprintf(to, "verified: %llu bound calls do not lead where their slots do\n", (unsigned long long)t.differ);
	if (options->error.code)
		fprintf(to, "%s\n", relink_error_text(&options->error));
	if (options->placed[0])
		fprintf(to, "not placed near its libraries: %s\n", options->placed);
	if (options->unknown[0])
		fprintf(to, "RELINK_LINKAGE: not understood: %s\n", options->unknown);
	fputs(status.notes, to);
}

/* A process that has shut itself in may be killed for opening files. */
static bool may_report(void)
{
	struct relink_linkage_status status = { .size = sizeof(status) };

	relink_each_linkage(&status, NULL, NULL);
	return !status.closed;
}

/* What was standard error: the program may have closed any descriptor, and opened something else in its place. */
static int open_error(const struct rl_run_options *options)
{
	struct stat now;

	if (options->descriptor < 0 || fstat(options->descriptor, &now) < 0 || now.st_dev != standard_error.st_dev ||
	    now.st_ino != standard_error.st_ino)
		return -1;
	return fcntl(options->descriptor, F_DUPFD_CLOEXEC, 0);
}

void rl_run_report(const struct rl_run_options *options)
{
	bool file = strcmp(options->report, "-") != 0;
	int descriptor;
	FILE *to;

	if (!options->report[0] || options->child || !may_report())
		return;
	descriptor = file ? open(options->report, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666) : open_error(options);
	to = descriptor < 0 ? NULL : fdopen(descriptor, "w");
	if (!to) {
		if (file)
			fprintf(stderr, "relink: the report can't be written to %s: %s\n", options->report, strerror(errno));
		return;
	}
	if (options->json)
		print_json(to, options);
	else
		print(to, options);
	fclose(to);
}
