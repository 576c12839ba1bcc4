/* SPDX-License-Identifier: MIT */
/*
 * What is said of a module before it is there is kept until it loads, each time, with the precedence of who said it. On the command
 * line such a name needs its module: name alone is an error there, and a note elsewhere.
 */
#include <dlfcn.h>

#include "check.h"
#include "choices/run.h"

RELINK_KEY_FALSE(own_key, "of the program");

static struct relink_error err;

#define MOST 4
static const struct row {
	const char *what;
	const char *file, *environment, *command_line;
	int code;  /* of relink_init */
	int state; /* late_state() of the plugin: call, 10 key, 100 final key, 1000 option */
} rows[] = {
	{ "nothing said", "", "", "", 0, 2 },
	{ "file", "choices_late:late_key\nchoices_late:late_option=file", "", "", 0, 1012 },
	{ "environment", "", "choices_late:late_key=on,choices_late:late_option=environment", "", 0, 2012 },
	{ "command line", "", "", "choices_late:late_option=command_line,own_key", 0, 3002 },
	{ "full name", "", "", "choices_late.so:late_option=command_line", 0, 3002 },
	{ "command line over environment over file", "choices_late:late_option=file choices_late:late_key",
	  "choices_late:late_option=environment choices_late:late_key=off", "choices_late:late_option=command_line", 0, 3002 },
	{ "final ones", "choices_late:late_final", "", "choices_late:late_call=other", 0, 101 },
	{ "short names", "late_key", "late_option=environment", "", 0, 2012 },
	{ "later wins", "", "choices_late:late_key=on,choices_late:late_key=off", "choices_late:late_option=file choices_late:late_option=start", 0, 2 },
	{ "unknown states", "choices_late:late_option=nowhere", "choices_late:late_call=best,choices_late:nothing=on", "choices_late:late_key=maybe", 0, 2 },
	{ "short name on the command line", "", "", "late_key", RELINK_E_UNKNOWN, 2 },
};

static void check_notes(bool loaded, const struct row *row)
{
	struct relink_status s = { .size = sizeof(s) };

	CHECK(relink_get_status(&s) == 0);
	if (!loaded) {
		CHECKF(!*row->file || strstr(s.notes, "file: "), "%s: notes before: %s", row->what, s.notes);
		CHECKF(!*row->environment || strstr(s.notes, "environment: "), "%s: notes before: %s", row->what, s.notes);
		return;
	}
	if (strcmp(row->what, "unknown states")) {
		CHECKF(!strstr(s.notes, "late_"), "%s: notes: %s", row->what, s.notes);
		return;
	}
	CHECK_HAS(s.notes, "file: choices_late:late_option=nowhere: no such state");
	CHECK_HAS(s.notes, "environment: choices_late:nothing=on: no such choice");
	CHECK_HAS(s.notes, "command line: choices_late:late_key=maybe: no such state");
}

static void load(const struct row *row)
{
	void *plugin = dlopen(RELINK_TEST_PLUGINS "/choices_late.so", RTLD_NOW);
	int (*state)(void);

	if (!CHECKF(plugin != NULL, "%s", dlerror()))
		return;
	*(void **)&state = dlsym(plugin, "late_state");
	CHECKF(state() == row->state, "%s: state %d, want %d", row->what, state(), row->state);
	check_notes(true, row);
	CHECK(dlclose(plugin) == 0);
	check_notes(false, row);
}

static int child(int argc, char **argv)
{
	const struct row *row = &rows[atoi(argv[1])];

	CHECK_CODE(relink_init(&argc, argv, &err), row->code, &err);
	CHECK(argc == (row->code ? 4 : 2));
	CHECK(relink_key_enabled(own_key) == (strstr(row->command_line, "own_key") != NULL));
	check_notes(false, row);
	for (int i = 0; i < 3; i++)
		load(row);
	return check_done();
}

static void check_row(size_t i, const char *path)
{
	static struct run r;
	char number[16], environment[256], config[64];
	FILE *file = fopen(path, "w");

	CHECK(file && fputs(rows[i].file, file) >= 0 && !fclose(file));
	snprintf(number, sizeof(number), "%zu", i);
	snprintf(environment, sizeof(environment), "RELINK=%s", rows[i].environment);
	snprintf(config, sizeof(config), "RELINK_CONFIG=%s", path);
	r = (struct run){ .argv = { number, "--relink", rows[i].command_line }, .environment = { environment, config } };
	run(&r);
	CHECKF(r.status == 0, "%s: status %d\n%s", rows[i].what, r.status, r.output);
}

int main(int argc, char **argv)
{
	char path[] = "/tmp/relink-late-XXXXXX";

	if (argc > 1)
		return child(argc, argv);
	CHECK(mkstemp(path) >= 0);
	for (size_t i = 0; i < COUNT(rows); i++)
		check_row(i, path);
	unlink(path);
	return check_done();
}
