/* SPDX-License-Identifier: MIT */
/* Names: unknown ones, short ones that are ambiguous, module:name; states by their names. What is refused changes nothing. */
#include <dlfcn.h>

#include "check.h"

RELINK_KEY_FALSE(twin, "a key that a plugin has, too");
RELINK_KEY_TRUE(single, "a key");
RELINK_OPTION(speed, "an option", slow, fast, late);
RELINK_DECLARE_CALL(int, sum, (int n));
static int sum_one(int n) { return n + 1; }
static int two(int n) { return n + 2; }
static int sum_custom(int n) { return n + 3; }
RELINK_DEFINE_CALL(sum, sum_one, "a call");
RELINK_VARIANT(sum, two);
RELINK_DECLARE_CALL(void, mute, (void));
RELINK_DEFINE_CALL_NULL(mute, "a call that does nothing");
RELINK_STATIC_KEY_FALSE(with_flags, "flags are listed", RELINK_NONFORCIBLE | RELINK_FINAL);

static struct relink_error err;

static int set(const char *name, const char *state)
{
	struct relink_commit c = RELINK_COMMIT;

	relink_set(&c, name, state);
	return relink_commit(&c, RELINK_LIVE, &err);
}

/* ---- one module ---- */

static const struct row {
	const char *name, *state;
	int code;
	int twin, single, speed, sum;
} rows[] = {
	{ "twin", "on", RELINK_OK, 1, 1, 0, 1 }, { "twin", "off", RELINK_OK, 0, 1, 0, 1 }, { "twin", "1", RELINK_OK, 1, 1, 0, 1 },
	{ "twin", "0", RELINK_OK, 0, 1, 0, 1 }, { "twin", "yes", RELINK_OK, 1, 1, 0, 1 }, { "twin", "no", RELINK_OK, 0, 1, 0, 1 },
	{ "twin", "true", RELINK_OK, 1, 1, 0, 1 }, { "twin", "false", RELINK_OK, 0, 1, 0, 1 },
	{ "twin", "", RELINK_E_STATE, 0, 1, 0, 1 }, { "twin", "ON", RELINK_E_STATE, 0, 1, 0, 1 }, { "twin", "on ", RELINK_E_STATE, 0, 1, 0, 1 },
	{ "twin", "2", RELINK_E_STATE, 0, 1, 0, 1 }, { "", "on", RELINK_E_UNKNOWN, 0, 1, 0, 1 }, { "twins", "on", RELINK_E_UNKNOWN, 0, 1, 0, 1 },
	{ "twi", "on", RELINK_E_UNKNOWN, 0, 1, 0, 1 }, { ":", "on", RELINK_E_UNKNOWN, 0, 1, 0, 1 }, { ":twin", "on", RELINK_E_UNKNOWN, 0, 1, 0, 1 },
	{ "speed", "fast", RELINK_OK, 0, 1, 1, 1 }, { "speed", "late", RELINK_OK, 0, 1, 2, 1 }, { "speed", "on", RELINK_E_STATE, 0, 1, 2, 1 },
	{ "speed", "1", RELINK_E_STATE, 0, 1, 2, 1 }, { "speed", "slow", RELINK_OK, 0, 1, 0, 1 },
	{ "sum", "two", RELINK_OK, 0, 1, 0, 2 }, { "sum", "one", RELINK_OK, 0, 1, 0, 1 }, { "sum", "sum_one", RELINK_OK, 0, 1, 0, 1 },
	{ "sum", "sum_two", RELINK_E_STATE, 0, 1, 0, 1 }, { "sum", "custom:sum_custom", RELINK_E_STATE, 0, 1, 0, 1 },
	{ "sum", "null", RELINK_E_STATE, 0, 1, 0, 1 }, { "sum", "sum_", RELINK_E_STATE, 0, 1, 0, 1 }, { "mute", "null", RELINK_OK, 0, 1, 0, 1 },
	{ "behaviour.choices_names:single", "off", RELINK_OK, 0, 0, 0, 1 }, { "behaviour:single", "on", RELINK_OK, 0, 1, 0, 1 },
	{ "behaviour.choices:single", "off", RELINK_E_UNKNOWN, 0, 1, 0, 1 }, { "libabsent:single", "off", RELINK_E_UNKNOWN, 0, 1, 0, 1 },
};

static void check_states(const struct row *r, size_t i)
{
	CHECKF(relink_unlikely(twin) == r->twin && relink_likely(single) == r->single && relink_option_state(speed) == r->speed &&
	       sum(0) == r->sum, "row %zu: twin %d, single %d, speed %d, sum %d", i, twin.key.state, single.key.state,
	       relink_option_state(speed), sum(0));
}

static void test_rows(void)
{
	for (size_t i = 0; i < COUNT(rows); i++) {
		int code = set(rows[i].name, rows[i].state);

		CHECKF(code == rows[i].code, "row %zu (%s=%s): %s (%s)", i, rows[i].name, rows[i].state, relink_code_name(code),
		       relink_error_text(&err));
		check_states(&rows[i], i);
	}
}

/* What there is instead is said. */
static void test_texts(void)
{
	static const char *const names[] = { "twin", "single", "speed", "sum", "mute" };

	CHECK_CODE(set("nothing", "on"), RELINK_E_UNKNOWN, &err);
	CHECK_HAS(err.text, "'nothing'");
	for (size_t i = 0; i < COUNT(names); i++)
		CHECK_HAS(err.text, names[i]);
	CHECK_CODE(set("speed", "medium"), RELINK_E_STATE, &err);
	CHECK(!strcmp(err.choice, "speed") && strstr(err.module, "behaviour.choices_names"));
	CHECK_HAS(err.text, "'medium'");
	CHECK_HAS(err.text, "slow, fast, late");
	CHECK_CODE(set("single", "perhaps"), RELINK_E_STATE, &err);
	CHECK_HAS(err.text, "off, on");
}

/* ---- listing ---- */

struct listed {
	const char *name;
	struct relink_choice_info info;
	char state[80];
};

static int find(const struct relink_choice_info *info, void *ctx)
{
	struct listed *l = ctx;

	if (strcmp(info->name, l->name))
		return 0;
	l->info = *info;
	snprintf(l->state, sizeof(l->state), "%s", info->state);
	return 1;
}

static struct listed listed(const char *name)
{
	struct listed l = { .name = name };

	CHECKF(relink_each_choice(find, &l) == 1, "%s is not listed", name);
	return l;
}

static void test_listing(void)
{
	struct listed l = listed("with_flags");

	CHECK((l.info.flags & (RELINK_FINAL | RELINK_NONFORCIBLE)) == (RELINK_FINAL | RELINK_NONFORCIBLE));
	CHECK(l.info.kind == RELINK_KEY && l.info.count == 2 && !strcmp(l.info.doc, "flags are listed"));
	CHECK(!strcmp(l.state, "off") && !strcmp(l.info.initial, "off") && l.info.decided_by == RELINK_BY_DEFAULT);
	l = listed("speed");
	CHECK(l.info.kind == RELINK_OPT && l.info.count == 3 && !strcmp(l.info.states[2], "late") && l.info.usable[2]);
	CHECK_CODE(relink_call_set(sum, sum_custom, &err), RELINK_OK, &err);
	l = listed("sum");
	CHECKF(!strncmp(l.state, "custom:", 7) && l.info.decided_by == RELINK_BY_PROGRAM, "sum is %s", l.state);
	CHECK_CODE(relink_call_clear(sum, &err), RELINK_OK, &err);
	CHECK(!strcmp(listed("sum").state, "sum_one"));
	CHECK(!strcmp(listed("mute").state, "null"));
	CHECK(relink_each_choice(NULL, NULL) == RELINK_E_ARGUMENT && relink_each_site(NULL, NULL) == RELINK_E_ARGUMENT);
}

/* ---- two modules ---- */

static void test_two_modules(void)
{
	void *plugin = dlopen(RELINK_TEST_PLUGINS "/choices_twin.so", RTLD_NOW);
	int (*state)(void);

	if (!CHECKF(plugin != NULL, "%s", dlerror()))
		return;
	*(void **)&state = dlsym(plugin, "twin_state");
	CHECK_CODE(set("twin", "on"), RELINK_E_AMBIGUOUS, &err);
	CHECK_HAS(err.text, "module:name");
	CHECK_CODE(relink_apply("twin=on", &err), RELINK_E_AMBIGUOUS, &err);
	CHECK(state() == 2 && !relink_key_enabled(twin));
	CHECK_CODE(set("choices_twin:twin", "on"), RELINK_OK, &err);
	CHECK(state() == 3 && !relink_key_enabled(twin));
	CHECK_CODE(set("choices_twin.so:twin", "off"), RELINK_OK, &err);
	CHECK_CODE(set("behaviour.choices_names:twin", "on"), RELINK_OK, &err);
	CHECK(state() == 2 && relink_unlikely(twin));
	CHECK_CODE(set("only_here", "off"), RELINK_OK, &err);
	CHECK_CODE(set("choices_twin:single", "off"), RELINK_E_UNKNOWN, &err);
	CHECK(state() == 0);
	CHECK_CODE(relink_apply("choices_twin:nothing=on", &err), RELINK_E_UNKNOWN, &err);
	CHECK(dlclose(plugin) == 0);
	CHECK_CODE(set("only_here", "on"), RELINK_E_UNKNOWN, &err);
	CHECK_CODE(set("twin", "off"), RELINK_OK, &err);
	CHECK(!relink_key_enabled(twin));
}

int main(void)
{
	test_listing();
	test_rows();
	test_texts();
	for (int i = 0; i < 3; i++)
		test_two_modules();
	return check_done();
}
