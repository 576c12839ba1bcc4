/* SPDX-License-Identifier: MIT */
/*
 * Where configuration comes from: files and their syntax, which file is read, the environment. What can't be used is a note in the
 * status, never an error, and never keeps the rest from being used.
 */
#include <sys/stat.h>

#include "check.h"
#include "choices/run.h"

RELINK_KEY_FALSE(key, "a key");
RELINK_KEY_TRUE(other, "another");
RELINK_OPTION(option, "an option", zero, one, two);

#define PROGRAM "behaviour.choices_sources"
static char dir[] = "/tmp/relink-sources-XXXXXX";

/* `files` are written below a directory that stands for @; NAME:CONTENT. `want` is option, other, key; a digit each. */
static const struct row {
	const char *what;
	const char *files[3];
	const char *environment[4];
	int want;
	const char *note, *note_too; /* "-": no note at all */
} rows[] = {
	{ "nothing", { 0 }, { 0 }, 10, "-", "" },
	/* the environment */
	{ "names", { 0 }, { "RELINK=key,other=off,option=two" }, 201, "-", "" },
	{ "empty", { 0 }, { "RELINK=" }, 10, "-", "" },
	{ "separators", { 0 }, { "RELINK=, key  ,,option=one," }, 111, "-", "" },
	{ "later wins", { 0 }, { "RELINK=option=one,option=two,option=one" }, 110, "-", "" },
	{ "unknown name", { 0 }, { "RELINK=nothing=on,key" }, 11, "environment: nothing=on: no such choice", "" },
	{ "unknown state", { 0 }, { "RELINK=option=three,key" }, 11, "environment: option=three: no such state", "" },
	{ "unknown state after a good one", { 0 }, { "RELINK=option=one,option=three" }, 110, "option=three", "" },
	{ "no name", { 0 }, { "RELINK==on,key" }, 11, "environment: =on", "" },
	{ "no state", { 0 }, { "RELINK=key=,option=one" }, 110, "environment: key=", "" },
	{ "two equal signs", { 0 }, { "RELINK=key=on=off,option=one" }, 110, "key=on=off", "" },
	/* the file that RELINK_CONFIG names */
	{ "file", { "f:key option=two" }, { "RELINK_CONFIG=@/f" }, 211, "-", "" },
	{ "lines", { "f:key\noption=one\nother=off\n" }, { "RELINK_CONFIG=@/f" }, 101, "-", "" },
	{ "comments", { "f:# key\nkey # option=two\n\n   #x\noption=one#two\n" }, { "RELINK_CONFIG=@/f" }, 111, "-", "" },
	{ "carriage returns", { "f:key\r\noption=one\r\n" }, { "RELINK_CONFIG=@/f" }, 111, "-", "" },
	{ "no newline", { "f:option=one" }, { "RELINK_CONFIG=@/f" }, 110, "-", "" },
	{ "empty file", { "f:" }, { "RELINK_CONFIG=@/f" }, 10, "-", "" },
	{ "unknown in file", { "f:nothing\nkey\noption=no" }, { "RELINK_CONFIG=@/f" }, 11, "file: nothing=on: no such choice", "file: option=no: no such state" },
	{ "environment over file", { "f:option=one key" }, { "RELINK_CONFIG=@/f", "RELINK=option=two" }, 211, "-", "" },
	{ "no such file", { 0 }, { "RELINK_CONFIG=@/absent", "RELINK=key" }, 11, "RELINK_CONFIG", "" },
	{ "a directory", { 0 }, { "RELINK_CONFIG=@", "RELINK=key" }, 11, "configuration file", "" },
	{ "a device", { 0 }, { "RELINK_CONFIG=/dev/zero", "RELINK=key" }, 11, "configuration file", "" },
	{ "empty name", { "f:key" }, { "RELINK_CONFIG=", "RELINK=option=one" }, 110, "RELINK_CONFIG", "" },
	/* the user's files */
	{ "XDG_CONFIG_HOME", { "relink/" PROGRAM ".conf:key" }, { "XDG_CONFIG_HOME=@" }, 11, "-", "" },
	{ "HOME", { ".config/relink/" PROGRAM ".conf:option=one" }, { "HOME=@" }, 110, "-", "" },
	{ "XDG before HOME", { "x/relink/" PROGRAM ".conf:key", ".config/relink/" PROGRAM ".conf:option=one" },
	  { "HOME=@", "XDG_CONFIG_HOME=@/x" }, 11, "-", "" },
	{ "empty XDG_CONFIG_HOME", { ".config/relink/" PROGRAM ".conf:option=one" }, { "HOME=@", "XDG_CONFIG_HOME=" }, 110, "-", "" },
	{ "RELINK_CONFIG instead", { "f:key", "relink/" PROGRAM ".conf:option=one" }, { "XDG_CONFIG_HOME=@", "RELINK_CONFIG=@/f" }, 11, "-", "" },
	{ "another program's", { "relink/other.conf:key" }, { "XDG_CONFIG_HOME=@" }, 10, "-", "" },
	{ "no home", { 0 }, { "HOME=/nonexistent" }, 10, "-", "" },
};

static int child(const struct row *row)
{
	struct relink_status s = { .size = sizeof(s) };
	int got = 100 * relink_option_state(option);

	if (relink_likely(other))
		got += 10;
	if (relink_unlikely(key))
		got += 1;
	CHECK(relink_get_status(&s) == 0);
	CHECKF(got == row->want, "%s: %03d, want %03d; notes: %s", row->what, got, row->want, s.notes);
	if (!strcmp(row->note, "-"))
		CHECKF(!*s.notes || strstr(s.notes, "-Wl,"), "%s: notes: %s", row->what, s.notes);
	else
		CHECKF(strstr(s.notes, row->note) && strstr(s.notes, row->note_too), "%s: notes: %s", row->what, s.notes);
	return check_done();
}

/* Directories on the way are made. */
static void write_file(const char *spec)
{
	const char *colon = strchr(spec, ':');
	char path[512];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%.*s", dir, (int)(colon - spec), spec);
	for (char *slash = path + sizeof(dir); (slash = strchr(slash, '/')); *slash++ = '/') {
		*slash = 0;
		mkdir(path, 0700);
	}
	file = fopen(path, "w");
	CHECK(file && fputs(colon + 1, file) >= 0 && !fclose(file));
}

static void clean(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s/* %s/.config", dir, dir);
	CHECK(!system(command));
}

static void check_row(size_t i)
{
	static char environment[4][256];
	static struct run r;
	char number[16];

	clean();
	memset(&r, 0, sizeof(r));
	for (size_t f = 0; f < 3 && rows[i].files[f]; f++)
		write_file(rows[i].files[f]);
	for (size_t e = 0; e < 4 && rows[i].environment[e]; e++) {
		const char *from = rows[i].environment[e], *at = strchr(from, '@');

		if (at)
			snprintf(environment[e], sizeof(environment[e]), "%.*s%s%s", (int)(at - from), from, dir, at + 1);
		else
			snprintf(environment[e], sizeof(environment[e]), "%s", from);
		r.environment[e] = environment[e];
	}
	snprintf(number, sizeof(number), "%zu", i);
	r.argv[0] = number;
	run(&r);
	CHECKF(r.status == 0, "%s: status %d\n%s", rows[i].what, r.status, r.output);
}

/* Larger than what is read. */
static void test_large(void)
{
	static struct run r;
	char path[128], config[160];
	FILE *file;

	clean();
	snprintf(path, sizeof(path), "%s/large", dir);
	snprintf(config, sizeof(config), "RELINK_CONFIG=%s", path);
	file = fopen(path, "w");
	for (int i = 0; i < 10000 && file; i++)
		fputs("key option=one\n", file);
	CHECK(file && !fclose(file));
	r = (struct run){ .argv = { "large" }, .environment = { config } };
	run(&r);
	CHECKF(r.status == 0, "large: status %d\n%s", r.status, r.output);
}

int main(int argc, char **argv)
{
	static const struct row large = { "large", { 0 }, { 0 }, 10, "configuration file", "64 KiB" };

	if (argc > 1)
		return child(strcmp(argv[1], "large") ? &rows[atoi(argv[1])] : &large);
	CHECK(mkdtemp(dir) != NULL);
	for (size_t i = 0; i < COUNT(rows); i++)
		check_row(i);
	test_large();
	clean();
	rmdir(dir);
	return check_done();
}
