/* test: LINK -rdynamic VARIANTS "-O2" "-O2 -fPIC" */
/* SPDX-License-Identifier: MIT */
/*
 * functions_modules.c - a plugin's function reads the program's key, option and number, and the program's function has a variant in
 * the plugin. The plugin comes while the states are other than they were linked, follows them, leaves, and comes again.
 */
#include <dlfcn.h>

#include "check.h"
#include "functions/functions.h"

RELINK_KEY_FALSE(trace, "a key");
RELINK_OPTION(mode, "an option", slow, fast, odd);
RELINK_IMMEDIATE(uint16_t, depth, 2, "a number");

RELINK_FUNCTION(work, (int x), (x), "the program's",
		(RELINK_READS_KEY(trace, tracing), RELINK_READS_OPTION(mode, how), RELINK_READS_NUMBER(depth, levels)),
		RELINK_FOR(RELINK_IS_ON(trace)), RELINK_FOR(RELINK_IS(mode, fast)))
{
	return FUNCTIONS_RESULT(tracing, how, levels, x);
}

static struct relink_error err;
static long (*guest_result)(int x), (*guest_calls_host)(int x);
static int (*guest_set_key)(int on);

static int commit(bool tracing, int how, int levels)
{
	struct relink_commit c = RELINK_COMMIT;

	relink_set_key(&c, trace, tracing);
	relink_wish_option(&c, &mode.option, how);
	relink_set_immediate(&c, depth, levels);
	return relink_commit(&c, RELINK_LIVE, &err);
}

static int state_of_guest(const struct relink_choice_info *info, void *ctx)
{
	if (strcmp(info->name, "guest_work"))
		return 0;
	snprintf(ctx, 80, "%s", info->state);
	return 1;
}

static void check_guest(bool tracing, int how, int levels, bool own)
{
	const char *want = how == 1 && levels == 9 ? "mode=fast+depth=9" : tracing && own ? "trace=on+guest_key=on" : "generic";
	char state[80] = "";

	CHECK(relink_each_choice(state_of_guest, state) == 1);
	CHECKF(!strcmp(state, want), "%d, %d, %d, %d: %s", tracing, how, levels, own, state);
	CHECKF(guest_result(3) == FUNCTIONS_RESULT(tracing, how, levels, 3) + (own ? 50 : 0), "%ld", guest_result(3));
}

static void check_all(void)
{
	static const int numbers[] = { 2, 9 };

	for (unsigned n = 0; n < 24; n++) {
		bool tracing = n & 1, own = n & 2;
		int how = (int)(n / 4 % 3), levels = numbers[n / 12];
		long want = how == 2 ? -FUNCTIONS_RESULT(0, 2, 0, 3) : FUNCTIONS_RESULT(tracing, how, levels, 3);

		CHECK_CODE(commit(tracing, how, levels), RELINK_OK, &err);
		CHECK(guest_set_key(own) == RELINK_OK);
		check_guest(tracing, how, levels, own);
		CHECKF(work(3) == want && guest_calls_host(3) == want, "with the plugin's variant: %ld, %ld, not %ld", work(3),
		       guest_calls_host(3), want);
	}
}

static void load(void)
{
	void *plugin;

	CHECK_CODE(commit(true, 1, 9), RELINK_OK, &err);
	plugin = dlopen(RELINK_TEST_PLUGINS "/functions_guest.so", RTLD_NOW);
	if (!CHECKF(plugin != NULL, "%s", dlerror()))
		exit(check_done());
	*(void **)&guest_result = dlsym(plugin, "guest_result");
	*(void **)&guest_calls_host = dlsym(plugin, "guest_calls_host");
	*(void **)&guest_set_key = dlsym(plugin, "guest_set_key");
	check_guest(true, 1, 9, false);
	check_all();
	CHECK_CODE(commit(false, 2, 7), RELINK_OK, &err);
	CHECK(work(3) == -FUNCTIONS_RESULT(0, 2, 0, 3));
	CHECK(dlclose(plugin) == 0);
	CHECKF(work(3) == FUNCTIONS_RESULT(0, 2, 7, 3), "without the plugin: %ld", work(3));
}

int main(void)
{
	for (int i = 0; i < 3; i++)
		load();
	CHECK_CODE(commit(true, 1, 7), RELINK_OK, &err);
	CHECK(work(3) == FUNCTIONS_RESULT(1, 1, 7, 3));
	return check_done();
}
