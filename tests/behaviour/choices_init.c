/* SPDX-License-Identifier: MIT */
/*
 * relink_init: which arguments it takes, what remains of argv, and that an error leaves everything as it was. Each row runs in a
 * child of its own, since relink_init is called once.
 */
#include <sys/wait.h>

#include "check.h"

RELINK_KEY_FALSE(verbose, "a key");
RELINK_KEY_TRUE(careful, "a key that is true at first");
RELINK_OPTION(idle, "an option", halt, poll, sleep_);
RELINK_DECLARE_CALL(int, hash, (int n));
static int hash_generic(int n) { return n; }
static int hash_fast(int n) { return 2 * n; }
static int hash_none(int n) { return 3 * n; }
static int never(void) { return 0; }
RELINK_DEFINE_CALL(hash, hash_generic, "a call");
RELINK_VARIANT(hash, hash_fast, .rank = -1);
RELINK_VARIANT(hash, hash_none, .condition = never);

static struct relink_error err;

#define MOST 10
/* What is said and what comes of it: an empty `after` means that argv stays as it was. */
static const struct row {
	const char *argv[MOST];
	int code;
	const char *after[MOST];
	const char *state;   /* verbose careful idle hash */
	const char *text;    /* part of the error's text */
	const char *text_too;
} rows[] = {
	/* nothing for us */
	{ { "p" }, 0, { "p" }, "off on halt 1", "", "" },
	{ { "p", "a", "-b", "--relinked", "--relin", "-relink", "x=y" }, 0, { "p", "a", "-b", "--relinked", "--relin", "-relink", "x=y" },
	  "off on halt 1", "", "" },
	/* both forms, everywhere, several times */
	{ { "p", "--relink", "verbose" }, 0, { "p" }, "on on halt 1", "", "" },
	{ { "p", "--relink=verbose" }, 0, { "p" }, "on on halt 1", "", "" },
	{ { "p", "a", "--relink", "idle=poll", "b" }, 0, { "p", "a", "b" }, "off on poll 1", "", "" },
	{ { "p", "--relink=idle=poll", "b", "--relink", "hash=fast", "c", "--relink=verbose" }, 0, { "p", "b", "c" }, "on on poll 2", "", "" },
	{ { "p", "--relink", "idle=poll", "--relink", "idle=sleep_" }, 0, { "p" }, "off on sleep_ 1", "", "" },
	{ { "p", "", "--relink=verbose", "" }, 0, { "p", "", "" }, "on on halt 1", "", "" },
	/* lists: commas, spaces, bare names, words for on and off, names of variants with and without the call's */
	{ { "p", "--relink", "verbose,idle=poll,hash=hash_fast" }, 0, { "p" }, "on on poll 2", "", "" },
	{ { "p", "--relink", "verbose idle=poll\thash=fast" }, 0, { "p" }, "on on poll 2", "", "" },
	{ { "p", "--relink", " ,, verbose ,careful=off, " }, 0, { "p" }, "on off halt 1", "", "" },
	{ { "p", "--relink=verbose=1,careful=0" }, 0, { "p" }, "on off halt 1", "", "" },
	{ { "p", "--relink=verbose=yes,careful=no" }, 0, { "p" }, "on off halt 1", "", "" },
	{ { "p", "--relink=verbose=true,careful=false" }, 0, { "p" }, "on off halt 1", "", "" },
	{ { "p", "--relink=verbose=on,verbose=off" }, 0, { "p" }, "off on halt 1", "", "" },
	{ { "p", "--relink", "" }, 0, { "p" }, "off on halt 1", "", "" },
	{ { "p", "--relink=" }, 0, { "p" }, "off on halt 1", "", "" },
	/* what the module is called, and modules that may still come */
	{ { "p", "--relink", "behaviour.choices_init:verbose,behaviour.choices_init:idle=poll" }, 0, { "p" }, "on on poll 1", "", "" },
	{ { "p", "--relink", "verbose,libabsent:key=on" }, 0, { "p" }, "on on halt 1", "", "" },
	{ { "p", "--relink", "libabsent:option=whatever" }, 0, { "p" }, "off on halt 1", "", "" },
	/* behind -- everything is the program's */
	{ { "p", "--", "--relink", "verbose" }, 0, { "p", "--", "--relink", "verbose" }, "off on halt 1", "", "" },
	{ { "p", "--relink", "idle=poll", "--", "--relink=verbose" }, 0, { "p", "--", "--relink=verbose" }, "off on poll 1", "", "" },
	{ { "p", "--", "--relink" }, 0, { "p", "--", "--relink" }, "off on halt 1", "", "" },
	/* errors: nothing changes, neither argv nor any choice */
	{ { "p", "a", "--relink" }, RELINK_E_SYNTAX, { 0 }, "off on halt 1", "--relink", "list" },
	{ { "p", "--relink=verbose", "--relink" }, RELINK_E_SYNTAX, { 0 }, "off on halt 1", "list", "" },
	{ { "p", "--relink", "verbose,nosuch=on" }, RELINK_E_UNKNOWN, { 0 }, "off on halt 1", "'nosuch'", "verbose" },
	{ { "p", "--relink", "nosuch" }, RELINK_E_UNKNOWN, { 0 }, "off on halt 1", "'nosuch'", "idle" },
	{ { "p", "--relink", "idle=poll", "a", "--relink", "idle=dance" }, RELINK_E_STATE, { 0 }, "off on halt 1", "'dance'", "halt, poll, sleep_" },
	{ { "p", "--relink", "hash=slow" }, RELINK_E_STATE, { 0 }, "off on halt 1", "'slow'", "hash_generic" },
	{ { "p", "--relink", "hash=slow" }, RELINK_E_STATE, { 0 }, "off on halt 1", "hash_none (not on this machine)", "hash" },
	{ { "p", "--relink", "verbose=maybe" }, RELINK_E_STATE, { 0 }, "off on halt 1", "'maybe'", "off, on" },
	{ { "p", "--relink", "idle" }, RELINK_E_STATE, { 0 }, "off on halt 1", "'on'", "halt, poll" },
	{ { "p", "--relink", "verbose=" }, RELINK_E_STATE, { 0 }, "off on halt 1", "''", "off, on" },
	{ { "p", "--relink", "verbose,hash=none" }, RELINK_E_CONDITION, { 0 }, "off on halt 1", "hash", "condition" },
	{ { "p", "--relink", "verbose,=on" }, RELINK_E_SYNTAX, { 0 }, "off on halt 1", "name", "" },
	{ { "p", "--relink", "verbos" }, RELINK_E_UNKNOWN, { 0 }, "off on halt 1", "'verbos'", "" },
	{ { "p", "--relink", "VERBOSE" }, RELINK_E_UNKNOWN, { 0 }, "off on halt 1", "'VERBOSE'", "" },
	/* the module is here, the choice isn't */
	{ { "p", "--relink", "behaviour.choices_init:nosuch" }, RELINK_E_UNKNOWN, { 0 }, "off on halt 1", "nosuch", "verbose" },
};

static const char *state_now(void)
{
	static const char *const idles[] = { "halt", "poll", "sleep_" };
	static char text[64];

	snprintf(text, sizeof(text), "%s %s %s %d", relink_key_enabled(verbose) ? "on" : "off", relink_key_enabled(careful) ? "on" : "off",
		 idles[relink_option_state(idle)], hash(1));
	return text;
}

static int count(const char *const *list)
{
	int n = 0;

	while (list[n])
		n++;
	return n;
}

static void check_row(const struct row *row, size_t number)
{
	const char *const *after = row->code < 0 ? row->argv : row->after;
	char *argv[MOST + 1], *last = NULL;
	int argc = count(row->argv), r;

	for (int i = 0; i < argc; i++)
		last = argv[i] = strdup(row->argv[i]);
	argv[argc] = NULL;
	r = relink_init(&argc, argv, &err);
	CHECKF(r == row->code, "row %zu: %s (%s)", number, relink_code_name(r), relink_error_text(&err));
	CHECKF(!strcmp(state_now(), row->state), "row %zu: %s, want %s", number, state_now(), row->state);
	CHECKF(argc == count(after) && !argv[argc], "row %zu: argc is %d", number, argc);
	for (int i = 0; i < argc && i < count(after); i++)
		CHECKF(!strcmp(argv[i], after[i]), "row %zu: argv[%d] is %s, want %s", number, i, argv[i], after[i]);
	if (row->code < 0)
		CHECKF(strstr(err.text, row->text) && strstr(err.text, row->text_too), "row %zu: \"%s\"", number, err.text);
	(void)last;
}

/* A call that fails may be repeated with what is right. */
static void check_again(void)
{
	const char *wrong[] = { "p", "--relink", "nosuch", NULL }, *right[] = { "p", "--relink", "verbose", "x", NULL };
	int argc = 3;

	CHECK_CODE(relink_init(&argc, (char **)(uintptr_t)wrong, &err), RELINK_E_UNKNOWN, &err);
	CHECK(argc == 3);
	argc = 4;
	CHECK_CODE(relink_init(&argc, (char **)(uintptr_t)right, NULL), RELINK_OK, NULL);
	CHECK(argc == 2 && !strcmp(right[1], "x") && relink_key_enabled(verbose));
}

/* What the program has said is above the command line: said, not done, and argv is taken. */
static void check_overridden(void)
{
	const char *argv[] = { "p", "--relink", "verbose=on,idle=poll", NULL };
	int argc = 3;

	CHECK_CODE(relink_key_disable(verbose, &err), RELINK_OK, &err);
	CHECK_CODE(relink_init(&argc, (char **)(uintptr_t)argv, &err), RELINK_OVERRIDDEN, &err);
	CHECK_HAS(err.text, "program");
	CHECK_HAS(err.text, "verbose");
	CHECK(argc == 1 && !relink_key_enabled(verbose) && relink_option_is(idle, poll));
	CHECK_CODE(relink_key_clear(verbose, &err), RELINK_OK, &err);
	CHECK(relink_key_enabled(verbose));
}

/* Programs with an option parser of their own. */
static void check_apply(void)
{
	CHECK_CODE(relink_apply("verbose idle=poll", &err), RELINK_OK, &err);
	CHECK(!strcmp(state_now(), "on on poll 1"));
	CHECK_CODE(relink_apply("verbose=off,careful=off,nosuch", &err), RELINK_E_UNKNOWN, &err);
	CHECK(!strcmp(state_now(), "on on poll 1"));
	CHECK_CODE(relink_apply("verbose=off hash=fast", &err), RELINK_OK, &err);
	CHECK(!strcmp(state_now(), "off on poll 2"));
	CHECK_CODE(relink_apply("", &err), RELINK_OK, &err);
	CHECK_CODE(relink_apply(NULL, &err), RELINK_E_ARGUMENT, &err);
	CHECK_CODE(relink_init(NULL, NULL, &err), RELINK_E_ARGUMENT, &err);
	CHECK(!strcmp(state_now(), "off on poll 2"));
}

/* A hundred lists. */
static void check_many(void)
{
	char *argv[202] = { strdup("p") };
	int argc = 1;

	for (int i = 0; i < 100; i++) {
		argv[argc++] = strdup(i == 50 ? "keep" : i & 1 ? "--relink=verbose=on" : "--relink=verbose=off");
		argv[argc++] = strdup(i == 50 ? "this" : "--relink=idle=poll,careful=off");
	}
	argv[argc] = NULL;
	CHECK_CODE(relink_init(&argc, argv, &err), RELINK_OK, &err);
	CHECK(argc == 3 && !strcmp(argv[1], "keep") && !strcmp(argv[2], "this") && !strcmp(state_now(), "on off poll 1"));
}

static void in_child(void (*test)(void), const struct row *row, size_t number)
{
	int status = -1;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (!child) {
		check_failed_ = 0;
		if (test)
			test();
		else
			check_row(row, number);
		fflush(stdout);
		_exit(check_failed_ != 0);
	}
	waitpid(child, &status, 0);
	CHECKF(status == 0, "row %zu: child's status is %#x", number, status);
}

int main(void)
{
	unsetenv("RELINK");
	for (size_t i = 0; i < COUNT(rows); i++)
		in_child(NULL, &rows[i], i);
	in_child(check_again, NULL, 100);
	in_child(check_overridden, NULL, 101);
	in_child(check_apply, NULL, 102);
	in_child(check_many, NULL, 103);
	return check_done();
}
