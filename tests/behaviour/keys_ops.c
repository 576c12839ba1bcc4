// test: VARIANTS "-O0" "-O2 -fPIC"
/* SPDX-License-Identifier: MIT */
/* What can be done with a key: enable, disable, set, clear, count, ask; with and without names, branches and error values. */
#include <dlfcn.h>

#include "check.h"

RELINK_KEY_FALSE(off_key, "false at first");
RELINK_KEY_TRUE(on_key, "true at first");
RELINK_STATIC_KEY_FALSE(hidden_key, "static");
RELINK_KEY_FALSE(counted, "counted");
RELINK_KEY_TRUE(counted_true, "counted, true at first");
RELINK_KEY_FALSE(unused, "no branch at all");
RELINK_KEY_ARRAY_FALSE(queues, 3, "an array");
RELINK_KEY_ARRAY_TRUE(lanes, 2, "an array, true at first");
struct device {
	char name[5];
	struct relink_key_false debug;
	struct relink_key_true check;
};
static struct device devices[2] = { { "one", RELINK_KEY_INIT_FALSE, RELINK_KEY_INIT_TRUE },
				    { "two", RELINK_KEY_INIT_FALSE, RELINK_KEY_INIT_TRUE } };
RELINK_NAME_KEY(two_debug, devices[1].debug, "two.debug", "debug of the second device");
RELINK_NAME_KEY(two_check, devices[1].check, "two.check", "check of the second device");
RELINK_OPTION(shade, "an option has keys of its own", dark, light);

#define BRANCH(id, key) \
	__attribute__((noinline)) static bool branch_##id(void) { return relink_unlikely(key) && !!relink_likely(key); }
BRANCH(off, off_key)
BRANCH(on, on_key)
BRANCH(hidden, hidden_key)
BRANCH(counted, counted)
BRANCH(counted_true, counted_true)
BRANCH(queue, queues[2])
BRANCH(lane, lanes[1])
BRANCH(debug, devices[0].debug)
BRANCH(check, devices[0].check)
BRANCH(two_debug, devices[1].debug)
BRANCH(two_check, devices[1].check)
static bool branch_unused(void) { return relink_key_enabled(unused); }

static struct relink_error err;

/* ---- set, enable, disable, clear: every key behaves alike ---- */

static const struct subject {
	struct relink_key *key;
	bool initial;
	bool (*branch)(void);
} subjects[] = {
	{ &off_key.key, false, branch_off },
	{ &on_key.key, true, branch_on },
	{ &hidden_key.key, false, branch_hidden },
	{ &unused.key, false, branch_unused },
	{ &queues[2].key, false, branch_queue },
	{ &lanes[1].key, true, branch_lane },
	{ &devices[0].debug.key, false, branch_debug },
	{ &devices[0].check.key, true, branch_check },
	{ &devices[1].debug.key, false, branch_two_debug },
	{ &devices[1].check.key, true, branch_two_check },
};

/* A step asks for a state (-1 withdraws) and leads to another (-1: the initial one). */
static const struct { int ask, want; } steps[] = {
	{ 1, 1 }, { 1, 1 }, { 0, 0 }, { 0, 0 }, { 1, 1 }, { -1, -1 }, { -1, -1 }, { 0, 0 }, { -1, -1 }, { 1, 1 }, { -1, -1 },
};

static void walk(const struct subject *s, size_t number)
{
	for (size_t i = 0; i < COUNT(steps); i++) {
		bool want = steps[i].want < 0 ? s->initial : steps[i].want;

		CHECK_CODE(relink_key_set_(s->key, steps[i].ask, &err), RELINK_OK, &err);
		CHECKF(s->branch() == want && s->key->state == want, "key %zu, step %zu: branch %d, state %d, want %d", number, i,
		       s->branch(), s->key->state, want);
	}
}

static void test_steps(void)
{
	for (size_t i = 0; i < COUNT(subjects); i++)
		walk(&subjects[i], i);
	CHECK(!branch_off() && branch_on() && !branch_queue() && branch_lane());
	CHECK(!relink_unlikely(queues[0]) && !relink_unlikely(queues[1]) && relink_likely(lanes[0]));
}

/* The macros with a key's name; an error value is not required. */
static void test_names(void)
{
	CHECK(relink_key_enable(off_key, NULL) == 0 && relink_key_enabled(off_key) && branch_off());
	CHECK(relink_key_disable(off_key, NULL) == 0 && !relink_key_enabled(off_key) && !branch_off());
	CHECK(relink_key_set(off_key, 2, NULL) == 0 && branch_off());
	CHECK(relink_key_set(off_key, false, NULL) == 0 && !branch_off());
	CHECK(relink_key_disable(on_key, &err) == 0 && !relink_key_enabled(on_key) && !branch_on());
	CHECK(relink_key_clear(on_key, &err) == 0 && relink_key_enabled(on_key) && branch_on());
	CHECK(relink_key_clear(off_key, &err) == 0 && !branch_off());
	CHECK(relink_key_enable(queues[2], &err) == 0 && branch_queue() && !relink_key_enabled(queues[1]));
	CHECK(relink_key_clear(queues[2], &err) == 0 && !branch_queue());
	CHECK(relink_key_enable(devices[0].debug, &err) == 0 && branch_debug() && !branch_two_debug());
	CHECK(relink_key_disable(devices[0].debug, &err) == 0 && !branch_debug());
}

static void test_by_name(void)
{
	static const struct { const char *name; bool (*branch)(void); } named[] = {
		{ "off_key", branch_off }, { "hidden_key", branch_hidden }, { "queues[2]", branch_queue },
		{ "two.debug", branch_two_debug }, { "unused", branch_unused },
	};

	for (size_t i = 0; i < COUNT(named); i++) {
		struct relink_commit c = RELINK_COMMIT;

		relink_set(&c, named[i].name, "on");
		CHECK_CODE(relink_commit(&c, RELINK_LIVE, &err), RELINK_OK, &err);
		CHECKF(named[i].branch(), "%s is not on", named[i].name);
		relink_unset(&c, named[i].name);
		CHECK_CODE(relink_commit(&c, RELINK_LIVE, &err), RELINK_OK, &err);
		CHECKF(!named[i].branch(), "%s is not off", named[i].name);
	}
}

/* ---- counting ---- */

static void test_count(void)
{
	CHECK_CODE(relink_key_dec(counted, &err), RELINK_E_COUNT, &err);
	CHECK(!strcmp(err.choice, "counted") && !branch_counted() && counted.key.count == 0);
	for (int i = 1; i <= 5; i++) {
		CHECK_CODE(relink_key_inc(counted, &err), RELINK_OK, &err);
		CHECK(branch_counted() && counted.key.count == i);
	}
	for (int i = 4; i >= 0; i--) {
		CHECK_CODE(relink_key_dec(counted, &err), RELINK_OK, &err);
		CHECK(branch_counted() == (i > 0) && counted.key.count == i);
	}
	CHECK_CODE(relink_key_dec(counted, &err), RELINK_E_COUNT, &err);
	CHECK(!branch_counted() && relink_key_dec(counted, NULL) == RELINK_E_COUNT);
}

/* Counted to zero a key has no opinion: what a lower level says holds again. */
static void test_count_to_zero(void)
{
	CHECK_CODE(relink_apply("counted=on counted_true=off", &err), RELINK_OK, &err);
	CHECK(branch_counted() && !branch_counted_true());
	CHECK_CODE(relink_key_inc(counted, &err), RELINK_OK, &err);
	CHECK_CODE(relink_key_inc(counted_true, &err), RELINK_OK, &err);
	CHECK(branch_counted() && branch_counted_true());
	CHECK_CODE(relink_key_dec(counted, &err), RELINK_OK, &err);
	CHECK_CODE(relink_key_dec(counted_true, &err), RELINK_OK, &err);
	CHECK(branch_counted() && !branch_counted_true());
	CHECK_CODE(relink_apply("counted=off,counted_true=on", &err), RELINK_OK, &err);
	CHECK(!branch_counted() && branch_counted_true());
}

/* Somebody above: the count goes on, and each step says that it is overridden. */
static void test_count_under_force(void)
{
	struct relink_commit c = RELINK_COMMIT;

	relink_force(&c, "counted", "off");
	CHECK_CODE(relink_commit(&c, RELINK_LIVE, &err), RELINK_OK, &err);
	CHECK_CODE(relink_key_inc(counted, &err), RELINK_OVERRIDDEN, &err);
	CHECK_CODE(relink_key_inc(counted, &err), RELINK_OVERRIDDEN, &err);
	CHECK(!branch_counted() && counted.key.count == 2);
	CHECK_HAS(err.text, "force");
	CHECK_HAS(err.text, "off");
	relink_release(&c, "counted");
	CHECK_CODE(relink_commit(&c, RELINK_LIVE, &err), RELINK_OK, &err);
	CHECK(branch_counted());
	CHECK_CODE(relink_key_dec(counted, &err), RELINK_OK, &err);
	CHECK(branch_counted());
	CHECK_CODE(relink_key_dec(counted, &err), RELINK_OK, &err);
	CHECK(!branch_counted());
}

/* ---- misuse ---- */

static void test_misuse(void)
{
	CHECK_CODE(relink_key_set(shade.first, false, &err), RELINK_E_ARGUMENT, &err);
	CHECK_CODE(relink_key_inc(shade.rest[0], &err), RELINK_E_ARGUMENT, &err);
	CHECK(relink_option_is(shade, dark) && !relink_option_is(shade, light));
	CHECK(relink_key_set_(&off_key.key, 7, &err) < 0 && !branch_off());
	CHECK(relink_key_set_(&off_key.key, -2, &err) < 0 && !branch_off());
}

/* A key in a struct of a plugin, without name or branch, goes with its module. */
static void test_module_gone(void)
{
	void *plugin = dlopen(RELINK_TEST_PLUGINS "/keys_nameless.so", RTLD_NOW);
	int (*set)(int on), (*get)(void);

	if (!CHECKF(plugin != NULL, "%s", dlerror()))
		return;
	*(void **)&set = dlsym(plugin, "nameless_set");
	*(void **)&get = dlsym(plugin, "nameless_get");
	CHECK(set(1) == 0 && get() == 1);
	dlclose(plugin);
	test_names();
	plugin = dlopen(RELINK_TEST_PLUGINS "/keys_nameless.so", RTLD_NOW);
	CHECK(plugin != NULL);
	if (plugin)
		dlclose(plugin);
	test_names();
}

/* An error value needs no initialising, and says nothing of a success. */
static void test_error_of_success(void)
{
	struct relink_commit c = RELINK_COMMIT;

	memset(&err, 0x5a, sizeof(err));
	CHECK(relink_key_set(off_key, false, &err) == RELINK_OK && err.code == RELINK_OK);
	CHECK(!strcmp(relink_error_text(&err), "no error"));
	memset(&err, 0x5a, sizeof(err));
	CHECK(relink_commit(&c, RELINK_LIVE, &err) == RELINK_OK && err.code == RELINK_OK);
	memset(&err, 0x5a, sizeof(err));
	CHECK(relink_apply("", &err) == RELINK_OK && err.code == RELINK_OK);
}

int main(void)
{
	test_error_of_success();
	test_steps();
	test_names();
	test_by_name();
	test_count();
	test_count_to_zero();
	test_count_under_force();
	test_misuse();
	test_module_gone();
	return check_done();
}
