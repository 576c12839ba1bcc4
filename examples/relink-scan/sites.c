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

#define MEMBERS_MOST 8
#define INSTRUCTION_MOST 15

struct site {
	const char *choice; /* as relink_each_site names it: an operation is TABLE_MEMBER */
	const char *label;  /* the operation, or "" */
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
	char first[48];
	uint8_t bytes[8];
	char text[DISASM_TEXT];
	size_t length = length_of(site);

	memcpy(bytes, (const void *)site->address, length);
	snprintf(first, sizeof(first), "%s%s%s", state, site->label[0] ? "." : "", site->label);
	printf("  %-7s %-*s", when, site->label[0] ? 19 : 14, first);
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

static void print_table(const char *table, const struct site *sites, size_t count)
{
	printf("one site for each operation of %s\n", table);
	for (size_t i = 0; i < count; i++) {
		printf("  %-7s %s, %s, at ", sites[i].label, relink_site_kind_name(sites[i].kind),
		       relink_reason_name(sites[i].reason));
		print_place(sites[i].address);
		putchar('\n');
	}
}

static void print_sites(const char *when, const char *state, const struct site *sites, size_t count)
{
	for (size_t i = 0; i < count; i++)
		print_site(i ? "" : when, state, &sites[i]);
}

static void show_change(const struct choice *c, const char *other, const struct site *sites, size_t count)
{
	char text[SIZE_TEXT];
	uint64_t ns, back;

	print_sites("before", c->state, sites, count);
	commit_one(c->name, other, &ns);
	print_sites("after", other, sites, count);
	commit_one(c->name, NULL, &back);
	print_sites("back", c->state, sites, count);
	printf("  the commits took %s", time_text(text, (double)ns));
	printf(" and %s\n", time_text(text, (double)back));
}

static void show(const struct choice *c, const char *other, const struct site *sites, size_t count)
{
	if (c->changes) {
		show_change(c, other, sites, count);
		return;
	}
	print_sites("now", c->state, sites, count);
	printf("  not changed: %s\n", c->why);
}

void sites_show(const struct inventory *v, const char *choice)
{
	const struct choice *c = inventory_find(v, choice);
	struct site site = { .choice = choice, .label = "" };

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
	show(c, choice_other(c), &site, 1);
}

static bool find_operation(const char *table, const char *member, struct site *site)
{
	char *name = join(table, "_", member);

	*site = (struct site){ .choice = name, .label = member };
	relink_each_site(visit, site);
	free(name);
	site->choice = table;
	return site->address != 0;
}

void sites_show_table(const struct inventory *v, const char *table, const char *other, const char *const *members)
{
	const struct choice *c = inventory_find(v, table);
	struct site sites[MEMBERS_MOST];
	size_t count = 0;

	if (!c)
		return;
	while (count < MEMBERS_MOST && members[count] && find_operation(table, members[count], &sites[count]))
		count++;
	if (!count) {
		printf("%s has no sites in this program: its operations are reached through pointers\n", table);
		return;
	}
	print_table(table, sites, count);
	show(c, strcmp(c->state, other) ? other : c->initial, sites, count);
}

static int visit_lock(const struct relink_site_info *info, void *ctx)
{
	struct site *site = ctx;

	if (info->kind != RELINK_SITE_LOCK)
		return 0;
	site->address = info->address;
	return 1;
}

void sites_show_lock(const char *decided_by)
{
	struct site site = { .choice = "locks", .label = "" };
	uint8_t bytes[INSTRUCTION_MOST];
	char text[DISASM_TEXT];
	size_t length;

	relink_each_site(visit_lock, &site);
	if (!site.address)
		return;
	memcpy(bytes, (const void *)site.address, sizeof(bytes));
	length = disassemble(bytes, sizeof(bytes), site.address, text);
	printf("    decided by the %s; at ", decided_by);
	print_place(site.address);
	putchar(':');
	for (size_t i = 0; i < (length ? length : 1); i++)
		printf(" %02x", bytes[i]);
	printf("  %s\n", text);
}
