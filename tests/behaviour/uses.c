// test: SOURCES behaviour/uses/other.c VARIANTS "-O0" "-O2" "-O3" "-Og" "-O0 -fPIC" "-O2 -fPIC" LINK -Wl,--no-as-needed $<TARGET_FILE:plugin_uses_home>
/* SPDX-License-Identifier: MIT */
/*
 * Queries, whole keys and what is on afterwards, by a table: in several files, in a shared object, of keys that are plain, elements,
 * members, false and true, likely and unlikely. After each step the listing, the code and the key's own branches agree.
 */
#include "behaviour/uses/rows.h"

RELINK_KEY_FALSE(net_debug, "what happens to connections");
RELINK_KEY_FALSE(parser_debug, "what the parser finds");
RELINK_KEY_TRUE(checks, "consistency checks");
RELINK_KEY_ARRAY_FALSE(elements, 2, "an array");

#line 1000 "src/net/conn.c"
USE_FUNCTION(open_conn, relink_here(net_debug, "accepted %s"))
USE_FUNCTION(close_conn, relink_here(net_debug, "closed %s after %d"))
#line 2000 "src/net/parse.c"
USE_FUNCTION(parse_head, relink_here(parser_debug, "head \"%s\""))
USE_FUNCTION(parse_body, relink_here_likely(parser_debug, "body"))
USE_FUNCTION(check_head, relink_here_likely(checks, "head is sane"))
USE_FUNCTION(check_body, relink_here(checks, "body is sane"))
#line 31 "tests/behaviour/uses.c"

/* Several uses on one line, one use in several functions, and what ordinary branches of the same key see. */
#define BOTH() (relink_here(elements[0], "first") + 2 * relink_here(elements[0], "second"))
__attribute__((noinline)) static int both(void) { return BOTH(); }
static inline __attribute__((always_inline)) int inlined(int x) { return relink_here(elements[1], "inlined") ? x : 0; }
__attribute__((noinline)) static int twice(void) { return inlined(1) + inlined(2); }
__attribute__((noinline)) static int plain(void) { return relink_unlikely(net_debug) ? 1 : 0; }

static unsigned logged;
__attribute__((format(printf, 1, 2))) static void log_line(const char *format, ...) { logged += *format == 'l'; }
#define net_dbg(...) relink_log_here(net_debug, log_line, __VA_ARGS__)
__attribute__((noinline)) static int logs(void)
{
	unsigned before = logged;

	if (before != ~0u)
		net_dbg("log %d and %s", 1, "two");
	else
		net_dbg("log");
	return (int)(logged - before);
}

static const struct use_row rows[] = {
	USE_ROW(open_conn), USE_ROW(close_conn), USE_ROW(parse_head), USE_ROW(parse_body), USE_ROW(check_head), USE_ROW(check_body),
};
static const struct use_rows here_rows = { rows, COUNT(rows) };
static const struct use_rows *const tables[] = { &here_rows, &other_rows, &home_rows };

/* `on`: the functions of the tables that are on; "=": as before. */
static const struct {
	const char *query, *on;
	int code;
	const char *says;
} steps[] = {
	{ "clear", "check_head check_body home_member_of", 0, 0 },
	/* terms */
	{ "file net/*.c +", "open_conn close_conn parse_head parse_body check_head check_body home_member_of", 0, 0 },
	{ "file net/*.c -", "home_member_of", 0, 0 },
	{ "file conn.c line 1001 +", "close_conn home_member_of", 0, 0 },
	{ "line 1000-1001 -", "home_member_of", 0, 0 },
	{ "line 1001- func *_conn +; file src/net/conn.c line -999 -", "=", RELINK_E_UNKNOWN, "query 2 matches no use: 'file src/net/conn.c line -999 -'" },
	{ "func open_* +", "open_conn home_member_of", 0, 0 },
	{ "func *open* +", "open_conn other_open home_open home_member_of", 0, 0 },
	{ "module uses_home -", "open_conn other_open", 0, 0 },
	{ "module uses_home.so func home_l* +", "open_conn other_open home_likely", 0, 0 },
	{ "format \"closed %s*\" +", "open_conn close_conn other_open home_likely", 0, 0 },
	{ "format 'head \"%s\"' +", "open_conn close_conn parse_head other_open home_likely", 0, 0 },
	{ "key net_* -", "parse_head home_likely", 0, 0 },
	{ "key home_debug +", "parse_head other_home home_open home_likely", 0, 0 },
	{ "key elements[[]1] func other_* +", "parse_head other_home other_element home_open home_likely", 0, 0 },
	{ "file uses/other.c key other_debug +", "parse_head other_own other_home other_element home_open home_likely", 0, 0 },
	{ "-", "", 0, 0 },
	/* in order */
	{ "file net/* +; func *_body -; line 2001 +", "open_conn close_conn parse_head parse_body check_head", 0, 0 },
	{ "line 2001 +; func *_body -", "open_conn close_conn parse_head check_head", 0, 0 },
	{ "+\n-", "", 0, 0 },
	{ "- ; func parse_* + ;", "parse_head parse_body", 0, 0 },
	/* nothing changes unless all is understood */
	{ "func open_* +; fun close_* +", "=", RELINK_E_SYNTAX, "query 2, character 16: no term is called 'fun'" },
	{ "func open_* +; func nobody +", "=", RELINK_E_UNKNOWN, "query 2 matches no use" },
	{ "func open_*", "=", RELINK_E_SYNTAX, "ends without" },
	{ "", "=", RELINK_E_SYNTAX, "no query" },
	/* the same again is nothing */
	{ "func parse_* +", "=", 0, 0 },
	/* no opinion: keys decide */
	{ "clear", "check_head check_body home_member_of", 0, 0 },
};

static struct relink_error err;
static char was[4096];

static bool is_in(const char *list, const char *name)
{
	size_t n = strlen(name);

	for (const char *at = list; (at = strstr(at, name)); at += n)
		if ((at == list || at[-1] == ' ') && (!at[n] || at[n] == ' '))
			return true;
	return false;
}

static void verify(const char *on, const char *when)
{
	struct on_list listed = { "", 0, 0 };

	CHECK(relink_each_use(list_on, &listed) == 0);
	for (size_t t = 0; t < COUNT(tables); t++)
		for (size_t i = 0; i < tables[t]->count; i++) {
			const struct use_row *r = &tables[t]->row[i];
			bool want = is_in(on, r->function);

			CHECKF(r->run() == want, "%s: %s runs as %s", when, r->function, want ? "off" : "on");
			CHECKF(is_in(listed.text, r->function) == want, "%s: %s is listed as %s", when, r->function, want ? "off" : "on");
		}
	if (on != was)
		strcpy(was, on);
}

static void test_steps(void)
{
	for (size_t i = 0; i < COUNT(steps); i++) {
		int r = relink_uses_query(steps[i].query, &err);

		CHECKF(r == steps[i].code, "%s: got %s (%s)", steps[i].query, relink_code_name(r), r ? relink_error_text(&err) : "");
		if (steps[i].says && r)
			CHECK_HAS(relink_error_text(&err), steps[i].says);
		verify(strcmp(steps[i].on, "=") ? steps[i].on : was, steps[i].query);
	}
}

static int query(const char *text)
{
	return relink_uses_query(text, &err);
}

#define DEFAULTS "check_head check_body home_member_of"

static void test_keys(void)
{
	verify(DEFAULTS, "start");
	CHECK(!plain() && !logs());
	CHECK_CODE(relink_key_enable(net_debug, &err), RELINK_OK, &err);
	verify("open_conn close_conn other_open " DEFAULTS, "enabled");
	CHECK(plain() && logs());
	CHECK_CODE(query("func open_conn -"), RELINK_OK, &err);
	verify("close_conn other_open " DEFAULTS, "one less");
	CHECK(plain());
	/* An inc of a key that is on says nothing new; the whole key does. */
	CHECK_CODE(relink_key_enable(net_debug, &err), RELINK_OK, &err);
	verify("open_conn close_conn other_open " DEFAULTS, "enabled again");
	CHECK_CODE(relink_key_clear(net_debug, &err), RELINK_OK, &err);
	CHECK_CODE(relink_key_inc(net_debug, &err), RELINK_OK, &err);
	CHECK_CODE(query("func open_conn -"), RELINK_OK, &err);
	CHECK_CODE(relink_key_inc(net_debug, &err), RELINK_OK, &err);
	CHECK_CODE(relink_key_dec(net_debug, &err), RELINK_OK, &err);
	verify("close_conn other_open " DEFAULTS, "counted");
	CHECK_CODE(relink_key_dec(net_debug, &err), RELINK_OK, &err);
	verify(DEFAULTS, "counted down");
	CHECK(!plain() && !logs());
	CHECK_CODE(query("func close_conn +"), RELINK_OK, &err);
	verify("close_conn " DEFAULTS, "one more");
	CHECK(!plain());
	CHECK_CODE(relink_key_disable(checks, &err), RELINK_OK, &err);
	verify("close_conn home_member_of", "checks off");
	CHECK_CODE(relink_key_clear(checks, &err), RELINK_OK, &err);
	CHECK_CODE(relink_key_disable(net_debug, &err), RELINK_OK, &err);
	verify(DEFAULTS, "off again");
	CHECK_CODE(relink_key_clear(net_debug, &err), RELINK_OK, &err);
}

static void test_force(void)
{
	CHECK_CODE(relink_uses_query_by(RELINK_BY_FORCE, "func *_conn +", &err), RELINK_OK, &err);
	verify("open_conn close_conn " DEFAULTS, "forced");
	CHECK_CODE(query("file conn.c -"), RELINK_OVERRIDDEN, &err);
	CHECK_HAS(relink_error_text(&err), "of 2 uses 2 stay as they are: the force says on");
	verify("open_conn close_conn " DEFAULTS, "still forced");
	/* A force of the whole key takes back the force of its uses; lifting it brings the program's opinion forward. */
	{
		struct relink_commit c = RELINK_COMMIT;

		relink_force(&c, "net_debug", "on");
		CHECK_CODE(relink_commit(&c, RELINK_LIVE, &err), RELINK_OK, &err);
		verify("open_conn close_conn other_open " DEFAULTS, "key forced");
		relink_release(&c, "net_debug");
		CHECK_CODE(relink_commit(&c, RELINK_LIVE, &err), RELINK_OK, &err);
	}
	verify(DEFAULTS, "released");
	CHECK_CODE(query("func open_conn +"), RELINK_OK, &err);
	CHECK_CODE(relink_uses_query_by(RELINK_BY_FORCE, "func open_conn -", &err), RELINK_OK, &err);
	verify(DEFAULTS, "forced off");
	CHECK_CODE(relink_uses_query_by(RELINK_BY_FORCE, "clear", &err), RELINK_OK, &err);
	verify("open_conn " DEFAULTS, "force lifted");
	CHECK_CODE(query("clear"), RELINK_OK, &err);
	CHECK_CODE(relink_uses_query_by(RELINK_LEVELS, "+", &err), RELINK_E_ARGUMENT, &err);
	CHECK_CODE(query(NULL), RELINK_E_ARGUMENT, &err);
}

/* Queries and keys in one transaction, in their order. */
static void test_transaction(void)
{
	struct relink_commit c = RELINK_COMMIT;

	relink_set_key(&c, parser_debug, true);
	relink_set_uses(&c, "func parse_body -; func open_conn +");
	relink_set_key(&c, checks, false);
	CHECK_CODE(relink_commit(&c, RELINK_LIVE, &err), RELINK_OK, &err);
	verify("open_conn parse_head home_member_of", "transaction");
	relink_set_uses(&c, "func parse_body +; func parse_head -");
	relink_set_key(&c, parser_debug, false);
	relink_set_uses(&c, "func close_conn +");
	CHECK_CODE(relink_commit(&c, RELINK_LIVE, &err), RELINK_OK, &err);
	verify("open_conn close_conn home_member_of", "key after its query");
	relink_set_key(&c, checks, true);
	relink_set_uses(&c, "func nobody +");
	CHECK_CODE(relink_commit(&c, RELINK_LIVE, &err), RELINK_E_UNKNOWN, &err);
	verify("open_conn close_conn home_member_of", "nothing of it");
	relink_set_uses(&c, NULL);
	CHECK_CODE(relink_commit(&c, RELINK_LIVE, &err), RELINK_E_ARGUMENT, &err);
	relink_set_uses(&c, "clear");
	relink_set(&c, "parser_debug", NULL);
	relink_set(&c, "checks", NULL);
	CHECK_CODE(relink_commit(&c, RELINK_LIVE, &err), RELINK_OK, &err);
	verify(DEFAULTS, "cleared");
}

static void test_places(void)
{
	CHECK(both() == 0 && twice() == 0);
	CHECK_CODE(query("key elements[[]0] format second +"), RELINK_OK, &err);
	CHECK(both() == 2);
	CHECK_CODE(query("format first +"), RELINK_OK, &err);
	CHECK(both() == 3);
	CHECK_CODE(query("func inlined +"), RELINK_OK, &err);
	CHECK(twice() == 3);
	CHECK_CODE(query("func logs +"), RELINK_OK, &err);
	CHECK(logs() == 1);
	CHECK_CODE(query("clear"), RELINK_OK, &err);
	CHECK(both() == 0 && twice() == 0 && logs() == 0);
}

struct one {
	const char *function;
	struct relink_use_info info;
	unsigned seen;
};

static int find(const struct relink_use_info *info, void *ctx)
{
	struct one *one = ctx;

	if (strcmp(info->function, one->function))
		return 0;
	one->info = *info;
	return ++one->seen == 3 ? 42 : 0;
}

static void test_listing(void)
{
	struct one one = { .function = "close_conn" }, two = { .function = "inlined" };
	struct relink_status before, after;

	CHECK(relink_each_use(find, &one) == 0 && one.seen == 1);
	CHECK(!strcmp(one.info.key, "net_debug") && !strcmp(one.info.file, "src/net/conn.c") && one.info.line == 1001);
	CHECK(!strcmp(one.info.text, "closed %s after %d") && !one.info.state && one.info.size == sizeof(one.info));
	CHECK_HAS(one.info.module, "behaviour.uses");
	CHECK(one.info.decided_by == RELINK_BY_DEFAULT && one.info.reason == RELINK_BOUND && one.info.address);
	CHECK(relink_each_use(find, &two) == 0 && two.seen == 2);
	CHECK(relink_each_use(NULL, NULL) == RELINK_E_ARGUMENT);
	/* One commit, one barrier, however many. */
	before.size = after.size = sizeof(before);
	relink_get_status(&before);
	CHECK_CODE(query("file net/*.c +; func parse_* -; line 1000 -"), RELINK_OK, &err);
	relink_get_status(&after);
	CHECK(relink_each_use(find, &one) == 0 && one.info.state == 1 && one.info.decided_by == RELINK_BY_PROGRAM);
	if (strcmp(after.arch, "generic")) {
		CHECK(after.commits == before.commits + 1 && after.barriers == before.barriers + 1);
		CHECK(after.sites[RELINK_SITE_BRANCH][RELINK_BOUND] >= 16);
		CHECKF(after.memory <= 8 * after.sites[RELINK_SITE_BRANCH][RELINK_BOUND], "%llu bytes for sites",
		       (unsigned long long)after.memory);
	} else {
		CHECK(!after.commits && !after.sites[RELINK_SITE_BRANCH][RELINK_BOUND]);
	}
	CHECK_CODE(query("clear"), RELINK_OK, &err);
}

int main(void)
{
	test_keys();
	test_steps();
	test_force();
	test_transaction();
	test_places();
	test_listing();
	verify(DEFAULTS, "end");
	return check_done();
}
