/* SPDX-License-Identifier: MIT */
/*
 * Where queries come from: environment, file, command line; in which order; over whom the program and an operator win. What can't
 * be used from environment and file is a note, from the command line an error. Each row is this program run again.
 */
#include "check.h"
#include "choices/run.h"

RELINK_KEY_FALSE(net_debug, "a key");
RELINK_KEY_FALSE(other_debug, "another");

__attribute__((noinline)) static int one(void) { return relink_here(net_debug, "first {of} all"); }
__attribute__((noinline)) static int two(void) { return relink_here(net_debug, "second, of all"); }
__attribute__((noinline)) static int three(void) { return relink_here(other_debug, "third"); }

static char path[] = "/tmp/relink-uses-XXXXXX";

/* `want`: a digit for each of three, two, one. */
static const struct row {
	const char *what, *file, *environment, *line;
	int want;
	const char *note, *error;
} rows[] = {
	{ "nothing", 0, 0, 0, 0, "-", 0 },
	{ "environment", 0, "{func one +}", 0, 1, "-", 0 },
	{ "between entries", 0, "other_debug,{func one +},net_debug=off", 0, 100, "-", 0 },
	{ "after its key", 0, "other_debug net_debug {func two -}", 0, 101, "-", 0 },
	{ "several queries", 0, "{+; func two -}", 0, 101, "-", 0 },
	{ "several entries", 0, "{+},{func two -},{func two +}", 0, 111, "-", 0 },
	{ "braces and commas in quotes", 0, "{format \"first {of}*\" +; format '*, of all' +}", 0, 11, "-", 0 },
	{ "escapes", 0, "{format first\\ \\{of\\}* +}", 0, 1, "-", 0 },
	{ "no match", 0, "{func four +; func one +}", 0, 1, "environment: {func four +}: no use matches", 0 },
	{ "syntax", 0, "{func one +; fun two +},other_debug", 0, 101, "environment: query 2, character 13: no term is called 'fun'", 0 },
	{ "not closed", 0, "{func one +", 0, 1, "environment: a brace that is not closed", 0 },
	{ "empty", 0, "{}", 0, 0, "-", 0 },
	{ "file", "{func one +}\n", 0, 0, 1, "-", 0 },
	{ "lines of a file", "# all\nother_debug\n{\nfunc one +\nfunc two + # this too\n}\n", 0, 0, 111, "-", 0 },
	{ "environment over file", "{func one +}", "{func one -}", 0, 0, "-", 0 },
	{ "a key of the environment over a query of the file", "{func one +}", "net_debug=off", 0, 0, "-", 0 },
	{ "a query of the file under a key of the environment", "{func one -}", "net_debug=on", 0, 11, "-", 0 },
	{ "command line", 0, 0, "{func one +}", 1, "-", 0 },
	{ "command line over environment", 0, "{+}", "{func one -}", 110, "-", 0 },
	{ "a key of the command line over queries of the environment", 0, "{func one +}", "net_debug=off other_debug", 100, "-", 0 },
	{ "in the order of the command line", 0, 0, "{func one +} net_debug=on {func two -}", 1, "-", 0 },
	{ "command line, no match", 0, "{func two +}", "{func one +; func four +}", 10, "-", "query 2 matches no use" },
	{ "command line, syntax", 0, 0, "{func}", 0, "-", "query 1, character 1: nothing follows 'func'" },
	{ "command line, not closed", 0, 0, "other_debug {func one +", 0, "-", "a brace that is not closed" },
	{ "command line, of a module that may come", 0, 0, "{module libnone.so +; func one +}", 1, "{module libnone.so +}: no use matches", 0 },
};

static int now(void)
{
	return one() + 10 * two() + 100 * three();
}

static int child(const struct row *row, int argc, char **argv)
{
	struct relink_status s = { .size = sizeof(s) };
	struct relink_error err;
	int r = relink_init(&argc, argv, &err);

	CHECKF(row->error ? r < 0 : !r, "%s: %s", row->what, relink_code_name(r));
	if (row->error && r)
		CHECK_HAS(relink_error_text(&err), row->error);
	CHECK(relink_get_status(&s) == 0);
	CHECKF(now() == row->want, "%s: %03d, want %03d; notes: %s", row->what, now(), row->want, s.notes);
	if (!strcmp(row->note, "-"))
		CHECKF(!*s.notes || strstr(s.notes, "-Wl,"), "%s: notes: %s", row->what, s.notes);
	else
		CHECKF(strstr(s.notes, row->note) != NULL, "%s: notes: %s", row->what, s.notes);
	/* The program and an operator come above all of them. */
	CHECK_CODE(relink_uses_query("-; func one +", &err), RELINK_OK, &err);
	CHECK(now() == 1);
	CHECK_CODE(relink_apply("{+}", &err), RELINK_OVERRIDDEN, &err);
	CHECK(now() == 1);
	CHECK_CODE(relink_uses_query_by(RELINK_BY_FORCE, "func one -; func two +", &err), RELINK_OK, &err);
	CHECK(now() == 10);
	CHECK_CODE(relink_uses_query_by(RELINK_BY_FORCE, "clear", &err), RELINK_OK, &err);
	CHECK_CODE(relink_uses_query("clear", &err), RELINK_OK, &err);
	CHECK(now() == 111);
	return check_done();
}

static void check_row(size_t i)
{
	static char environment[512], config[64];
	static struct run r;
	char number[16];
	FILE *file = fopen(path, "w");

	memset(&r, 0, sizeof(r));
	CHECK(file && fputs(rows[i].file ? rows[i].file : "", file) >= 0 && !fclose(file));
	snprintf(config, sizeof(config), "RELINK_CONFIG=%s", path);
	snprintf(environment, sizeof(environment), "RELINK=%s", rows[i].environment ? rows[i].environment : "");
	snprintf(number, sizeof(number), "%zu", i);
	r.environment[0] = config;
	r.environment[1] = environment;
	r.argv[0] = number;
	if (rows[i].line) {
		r.argv[1] = "--relink";
		r.argv[2] = rows[i].line;
	}
	run(&r);
	CHECKF(r.status == 0, "%s: status %d\n%s", rows[i].what, r.status, r.output);
}

int main(int argc, char **argv)
{
	if (argc > 1)
		return child(&rows[atoi(argv[1])], argc, argv);
	close(mkstemp(path));
	for (size_t i = 0; i < COUNT(rows); i++)
		check_row(i);
	unlink(path);
	return check_done();
}
