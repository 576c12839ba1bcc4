// test: VARIANTS "-O2" "-O2 -fPIC" "-O2 -fno-plt -DCALLS_NO_PLT" "-O0" LINK -rdynamic -Wl,--no-as-needed $<TARGET_FILE:plugin_calls_home>
/* SPDX-License-Identifier: MIT */
/*
 * Calls from other modules than the one that defines them: the program calls a shared object's, the shared object the program's,
 * and a plugin that comes and goes calls both. Who answers is seen in the tens: 1 default, 2 the other variant, 7 the plugin's.
 */
#include <dlfcn.h>

#include "check.h"
#include "calls/modules.h"

static long main_default(long n) { return n + 10; }
static long main_other(long n) { return n + 20; }
static void main_void_default(int *n) { *n += 10; }
RELINK_DEFINE_CALL(main_add, main_default, "of the program");
RELINK_VARIANT(main_add, main_other);
RELINK_DEFINE_CALL(main_void, main_void_default, "of the program, without a result");

MODULE_CALLS(main)

static struct relink_error err;
static struct answers (*user_answers)(void); /* NULL while the plugin isn't there */

#if defined(CALLS_TAKE_ADDRESS) && RELINK_PATCHES_
/* In a program that is no PIE this makes the PLT stub the function's address, for everybody. */
static long (*volatile taken)(long) = home_add;
#else
static long (*volatile taken)(long);
#endif

/* ---- who answers ---- */

struct tens {
	int home_add, home_struct, home_void, home_final, main_add, main_void;
};

static void check_answers(const char *module, const char *when, struct answers got, struct tens want)
{
	CHECKF(got.home_add == 10 * want.home_add + 1, "%s, %s: home_add %ld", when, module, got.home_add);
	CHECKF(got.home_tail == 10 * want.home_add + 2, "%s, %s: home_add, tail call %ld", when, module, got.home_tail);
	CHECKF(got.home_struct == 10 * want.home_struct + 4, "%s, %s: home_struct %ld", when, module, got.home_struct);
	CHECKF(got.home_void == 10 * want.home_void, "%s, %s: home_void %ld", when, module, got.home_void);
	CHECKF(got.home_final == 10 * want.home_final + 1, "%s, %s: home_final %ld", when, module, got.home_final);
	CHECKF(got.main_add == 10 * want.main_add + 1, "%s, %s: main_add %ld", when, module, got.main_add);
	CHECKF(got.main_tail == 10 * want.main_add + 2, "%s, %s: main_add, tail call %ld", when, module, got.main_tail);
	CHECKF(got.main_void == 10 * want.main_void, "%s, %s: main_void %ld", when, module, got.main_void);
}

static void check_all(const char *when, struct tens want)
{
	check_answers("program", when, main_answers(), want);
	check_answers("shared object", when, home_answers(), want);
	if (user_answers)
		check_answers("plugin", when, user_answers(), want);
	if (taken)
		CHECKF(taken(1) == 10 * want.home_add + 1, "%s: by address %ld", when, taken(1));
}

/* ---- the program's decisions ---- */

static void set_by_name(const char *name, const char *state)
{
	struct relink_commit c = RELINK_COMMIT;

	relink_set(&c, name, state);
	CHECK_CODE(relink_commit(&c, RELINK_LIVE, &err), RELINK_OK, &err);
}

static void test_changes(int home_void)
{
	check_all("at first", (struct tens){ 1, 1, home_void, 2, 1, 1 });
	set_by_name("home_add", "add_other");
	set_by_name("home_struct", "struct_other");
	check_all("home changed", (struct tens){ 2, 2, home_void, 2, 1, 1 });
	CHECK_CODE(relink_call_set(main_add, main_other, &err), RELINK_OK, &err);
	CHECK_CODE(relink_call_set(main_void, NULL, &err), RELINK_OK, &err);
	CHECK_CODE(relink_call_set(home_void, NULL, &err), RELINK_OK, &err);
	check_all("both changed", (struct tens){ 2, 2, 0, 2, 2, 0 });
	CHECK_CODE(relink_call_clear(home_add, &err), RELINK_OK, &err);
	CHECK_CODE(relink_call_clear(home_struct, &err), RELINK_OK, &err);
	CHECK_CODE(relink_call_clear(home_void, &err), RELINK_OK, &err);
	CHECK_CODE(relink_call_clear(main_add, &err), RELINK_OK, &err);
	CHECK_CODE(relink_call_clear(main_void, &err), RELINK_OK, &err);
	check_all("cleared", (struct tens){ 1, 1, home_void, 2, 1, 1 });
}

/* ---- where the sites are ---- */

struct count {
	const char *module, *choice;
	int direct, on_trampoline, reason;
};

static int count_site(const struct relink_site_info *site, void *ctx)
{
	struct count *c = ctx;

	if (site->kind == RELINK_SITE_TRAMPOLINE || !strstr(site->module, c->module) || strcmp(site->choice, c->choice))
		return 0;
	if (site->reason == RELINK_BOUND)
		c->direct++;
	else
		c->on_trampoline++, c->reason = site->reason;
	return 0;
}

static struct count count_sites(const char *module, const char *choice)
{
	struct count c = { module, choice, 0, 0, RELINK_BOUND };

	relink_each_site(count_site, &c);
	return c;
}

/* Each of the calls is found in the module, and final ones are bound, unless their target is more than 2 GiB away. */
static void check_found(const char *module, size_t calls_known)
{
	static const char *const calls[] = { "home_add", "home_struct", "home_void", "home_final", "main_add", "main_void" };
	struct count final = count_sites(module, "home_final");

	for (size_t i = 0; i < calls_known; i++) {
		struct count c = count_sites(module, calls[i]);

		CHECKF(c.direct + c.on_trampoline > 0, "no sites of %s in %s", calls[i], module);
	}
	CHECKF(final.on_trampoline ? final.reason == RELINK_OUT_OF_RANGE : final.direct > 0, "final in %s: %d direct, %d %s", module, final.direct,
	       final.on_trampoline, relink_reason_name(final.reason));
}

/* A module that calls through the GOT is told so, and nothing of it is rewritten. */
static void check_through_got(void)
{
	struct relink_status s = { .size = sizeof(s) };

	CHECK(relink_get_status(&s) == 0);
	CHECK_HAS(s.notes, "calls_user_no_plt.so: ");
	CHECK_HAS(s.notes, "GOT");
	CHECK(count_sites("calls_user_no_plt", "home_add").direct == 0 && count_sites("calls_user_no_plt", "main_add").direct == 0);
}

static bool patches(void)
{
	struct relink_status s = { .size = sizeof(s) };

	return !relink_get_status(&s) && strcmp(s.arch, "generic");
}

/* The plugin's variant of home_void is the best while it is there, and only then. */
static void test_plugin(const char *file, bool got)
{
	char path[512];
	void *plugin;

	snprintf(path, sizeof(path), "%s/%s", RELINK_TEST_PLUGINS, file);
	plugin = dlopen(path, RTLD_NOW);
	if (!CHECKF(plugin != NULL, "%s", dlerror()))
		return;
	*(void **)&user_answers = dlsym(plugin, "user_answers");
	test_changes(7);
	set_by_name("main_add", "add_plugin");
	check_all("the plugin's variant", (struct tens){ 1, 1, 7, 2, 7, 1 });
	if (patches() && got)
		check_through_got();
	else if (patches())
		check_found("calls_user.so", 6);
	user_answers = NULL;
	CHECK(dlclose(plugin) == 0);
	check_all("the plugin has left", (struct tens){ 1, 1, 1, 2, 1, 1 });
	test_changes(1);
}

/* Decisions made before it loads hold for it. */
static void test_late_plugin(void)
{
	void *plugin;

	CHECK_CODE(relink_call_set(main_add, main_other, &err), RELINK_OK, &err);
	set_by_name("home_add", "add_other");
	plugin = dlopen(RELINK_TEST_PLUGINS "/calls_user.so", RTLD_NOW);
	if (!CHECKF(plugin != NULL, "%s", dlerror()))
		return;
	*(void **)&user_answers = dlsym(plugin, "user_answers");
	check_all("decided before", (struct tens){ 2, 1, 7, 2, 2, 1 });
	CHECK_CODE(relink_call_clear(main_add, &err), RELINK_OK, &err);
	CHECK_CODE(relink_call_clear(home_add, &err), RELINK_OK, &err);
	check_all("cleared", (struct tens){ 1, 1, 7, 2, 1, 1 });
	user_answers = NULL;
	CHECK(dlclose(plugin) == 0);
}

int main(void)
{
	check_allow_stores();
	test_changes(1);
	for (int i = 0; i < 2; i++) {
		test_plugin("calls_user.so", false);
		test_plugin("calls_user_no_plt.so", true);
	}
	test_late_plugin();
	if (patches()) {
		/* It was there before the program's calls were, and reaches those by their trampolines. */
		check_found("calls_home", 4);
#ifndef CALLS_NO_PLT
		check_found("calls_modules", 6);
#endif
	}
	return check_done();
}
