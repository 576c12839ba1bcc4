/* SPDX-License-Identifier: MIT */
/* sites.c - shows the machine code of one site before and after a commit. */
#include "sites.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "choices.h"
#include "disasm.h"
#include "util.h"

struct site {
	const char *choice;
	uintptr_t address;
	int kind, reason;
	int value; /* how much it has to show */
};

/* A site that is bound before one that is not, a call before a trampoline. */
static int value_of(const struct relink_site_info *info)
{
	return (info->reason == RELINK_BOUND ? 4 : 0) + (info->kind == RELINK_SITE_TRAMPOLINE ? 1 : 2);
}

static int visit(const struct relink_site_info *info, void *ctx)
{
	struct site *site = ctx;

	if (strcmp(info->choice, site->choice) != 0 || value_of(info) <= site->value)
		return 0;
	site->value = value_of(info);
	site->address = info->address;
	site->kind = info->kind;
	site->reason = info->reason;
	return 0;
}

static size_t length_of(const struct site *site)
{
	return site->kind == RELINK_SITE_JCC ? 6 : 5;
}

/* "relink-scan+0x1234", which is where a disassembler of the file finds it. */
static void print_place(uintptr_t address)
{
	Dl_info info;
	const char *slash;

	if (!dladdr((void *)address, &info) || !info.dli_fname) {
		printf("0x%lx", (unsigned long)address);
		return;
	}
	slash = strrchr(info.dli_fname, '/');
	printf("%s+0x%lx", slash ? slash + 1 : info.dli_fname, (unsigned long)(address - (uintptr_t)info.dli_fbase));
}

/* Absolute targets in the text get their names. */
static void print_instruction(const char *text)
{
	const char *number = strstr(text, "0x");
	const char *function = number && number[-1] != '$' ? choices_function_at(strtoul(number, NULL, 16)) : NULL;

	printf("  %s", text);
	if (function)
		printf(" <%s>", function);
}

static void print_site(const char *when, const char *state, const struct site *site)
{
	uint8_t bytes[8];
	char text[DISASM_TEXT];
	size_t length = length_of(site);

	memcpy(bytes, (const void *)site->address, length);
	printf("  %-7s %-14s", when, state);
	for (size_t i = 0; i < length; i++)
		printf(" %02x", bytes[i]);
	if (disassemble(bytes, length, site->address, text))
		print_instruction(text);
	putchar('\n');
}

static int commit_one(const char *name, const char *state, uint64_t *ns)
{
	struct relink_commit commit = RELINK_COMMIT;
	struct relink_error err;
	uint64_t start;
	int status;

	if (state)
		relink_set(&commit, name, state);
	else
		relink_unset(&commit, name);
	start = now_ns();
	status = relink_commit(&commit, RELINK_LIVE, &err);
	*ns = now_ns() - start;
	if (status < 0)
		die("%s", relink_error_text(&err));
	return status;
}

static void show_change(const struct choice *c, const struct site *site)
{
	char text[SIZE_TEXT];
	uint64_t ns, back;
	const char *other = choice_other(c);

	print_site("before", c->state, site);
	commit_one(c->name, other, &ns);
	print_site("after", other, site);
	commit_one(c->name, NULL, &back);
	print_site("back", c->state, site);
	printf("  the commits took %s", time_text(text, (double)ns));
	printf(" and %s\n", time_text(text, (double)back));
}

void sites_show(const struct inventory *v, const char *choice)
{
	const struct choice *c = inventory_find(v, choice);
	struct site site = { .choice = choice };

	if (!c)
		return;
	relink_each_site(visit, &site);
	if (!site.address) {
		printf("%s has no sites in this program: it is decided through data\n", choice);
		return;
	}
	printf("one %s site of %s, %s, at ", relink_site_kind_name(site.kind), choice, relink_reason_name(site.reason));
	print_place(site.address);
	putchar('\n');
	if (c->changes) {
		show_change(c, &site);
		return;
	}
	print_site("now", c->state, &site);
	printf("  not changed: %s\n", c->why);
}
