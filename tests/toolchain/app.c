/* SPDX-License-Identifier: MIT */
/*
 * Prints what was found and whether it is right. Status 0: all results right, all sites found. 3: all results right, call
 * sites were not found, and the status of relink says why. 1: anything else. THROUGH_PLT=0: calls of symbols that
 * another module may define are no sites here (-fno-plt makes them through the GOT).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "matrix.h"
#ifndef STATIC
#include <dlfcn.h>
#endif

RELINK_KEY_TRUE(app_key, "a key of the program");
RELINK_IMMEDIATE(uint16_t, app_number, 40000, "a number of the program");
#ifndef STATIC
__attribute__((visibility("hidden"), used)) unsigned app_zero;
#endif
RELINK_OPTION(app_option, "an option of the program", first, second, third);

/* Alike to the byte, but of different keys: must not be folded into one. */
RELINK_KEY_FALSE(app_fold, "flipped");
RELINK_KEY_FALSE(app_fold_not, "never flipped");
RELINK_KEY_ARRAY_FALSE(app_folds, 3, "the second is flipped");
__attribute__((noinline)) unsigned fold_flipped(void) { return relink_unlikely(app_fold) ? 5 : 0; }
__attribute__((noinline)) unsigned fold_kept(void) { return relink_unlikely(app_fold_not) ? 5 : 0; }
__attribute__((noinline)) unsigned fold_element_flipped(void) { return relink_unlikely(app_folds[1]) ? 5 : 0; }
__attribute__((noinline)) unsigned fold_element_kept(void) { return relink_unlikely(app_folds[2]) ? 5 : 0; }

/* Uses of one key: the same code, the same text, and yet two. */
__attribute__((noinline)) unsigned use_changed(void) { return relink_here(app_fold_not, "a use") ? 7 : 0; }
__attribute__((noinline)) unsigned use_kept(void) { return relink_here(app_fold_not, "a use") ? 7 : 0; }

int app_default(int x)
{
	return 2 * x;
}

int app_flipped(int x)
{
	return 2 * x + 1;
}

static void mark(unsigned *seen)
{
	*seen |= 1;
}

RELINK_DEFINE_CALL(app_call, app_default, "a call of the program");
RELINK_VARIANT(app_call, app_flipped, .rank = -1);
RELINK_DEFINE_CALL_NULL(app_hook, "a call that does nothing");
RELINK_VARIANT(app_hook, mark, .rank = -1);

__attribute__((noinline)) int app_tail(int x)
{
	return app_call(x + 1);
}

__attribute__((noinline)) void app_conditional_tail(int x, unsigned *seen)
{
	if (x > 1)
		app_hook(seen);
}

unsigned look_c(void)
{
	unsigned seen = 0;

	app_conditional_tail(2, &seen);
	seen |= (fold_flipped() ? 2 : 0) | (fold_element_flipped() ? 4 : 0) | (fold_kept() || fold_element_kept() ? 8 : 0);
	return look_header() | (app_tail(4) == 10 ? 0u : 64u) | seen << 7;
}

static unsigned (*plugin)(void);

/* Alike to the byte, but of different numbers, or with other arms: must not be folded into one. */
RELINK_IMMEDIATE(int, app_number_fold, 5, "changed");
RELINK_IMMEDIATE(int, app_number_fold_not, 5, "never changed");
__attribute__((noinline)) int number_changed(void) { return relink_immediate(app_number_fold); }
__attribute__((noinline)) int number_kept(void) { return relink_immediate(app_number_fold_not); }
#define ARM_OF(key) \
	int seen; \
	RELINK_ALTERNATIVE("movl $5, %[seen]", "movl $6, %[seen]", RELINK_WHEN_ON(key), RELINK_OUT([seen] "=r"(seen)), RELINK_IN(), \
			   RELINK_CLOBBERS()); \
	return seen
__attribute__((noinline)) int arm_changed(void) { ARM_OF(app_fold); }
__attribute__((noinline)) int arm_kept(void) { ARM_OF(app_fold_not); }

static int folded(int flipped)
{
	return use_changed() != (flipped ? 7 : 0) || use_kept() || number_changed() != (flipped ? 6 : 5) || number_kept() != 5 || arm_changed() != (flipped ? 6 : 5) || arm_kept() != 5;
}

static int look(const char *when, int flipped)
{
	const unsigned seen[] = { look_c(), look_cc(), look_lib(), plugin ? plugin() : 0 };
	const unsigned want[] = { LOOK_HEADER | 15 << 6, LOOK_HEADER | 15 << 6, LOOK_HEADER | 1 << 6,
				  plugin ? LOOK_HEADER | 3 << 6 : 0 };
	int i, wrong = 0;

	for (i = 0; i < 4; i++)
		wrong |= seen[i] != (flipped ? want[i] : 0);
	wrong |= folded(flipped);
	if (wrong)
		printf("%s%s: %#x %#x %#x %#x ", when, folded(flipped) ? ", folded" : "", seen[0], seen[1], seen[2], seen[3]);
	return wrong;
}

static int flip(int flipped)
{
	struct relink_commit c = RELINK_COMMIT;
	struct relink_error err;
	int result;

	relink_set_key(&c, app_key, !flipped);
	relink_set_key(&c, lib_key, flipped);
	relink_set_key(&c, app_fold, flipped);
	relink_set_key(&c, app_folds[1], flipped);
	relink_set_uses(&c, flipped ? "func use_changed +" : "func use_changed -");
	relink_set_immediate(&c, app_number_fold, flipped ? 6 : 5);
	if (flipped)
		relink_set_option(&c, app_option, second);
	else
		relink_set_option(&c, app_option, first);
	relink_set_immediate(&c, app_number, flipped ? 7 : 40000);
	relink_set_immediate(&c, lib_number, flipped ? 1 : -5000000000);
	relink_set(&c, "app_call", flipped ? "app_flipped" : "app_default");
	relink_set(&c, "app_hook", flipped ? "mark" : NULL);
	relink_set(&c, "lib_call", flipped ? "lib_flipped" : "lib_default");
	if (plugin) {
		relink_set(&c, "plugin_key", flipped ? "on" : "off");
		relink_set(&c, "plugin_call", flipped ? "plugin_flipped" : "plugin_default");
	}
	result = relink_commit(&c, RELINK_LIVE, &err);
	if (result)
		printf("commit: %s ", relink_error_text(&err));
	return result;
}

enum { APP, LIB, PLUGIN, MODULES };
static unsigned branches[MODULES], calls[MODULES], numbers[MODULES], alternatives[MODULES], cross, bound, trampolines;

static int count(const struct relink_site_info *site, void *ctx)
{
	const char *prefix[] = { "app_", "lib_", "plugin_" };
	int module = strstr(site->module, "libshape.so") ? LIB : strstr(site->module, "plugin.so") ? PLUGIN : APP;

	(void)ctx;
#ifdef STATIC
	if (!strncmp(site->choice, "lib_", 4))
		module = LIB;
#endif
	if (site->kind == RELINK_SITE_TRAMPOLINE)
		trampolines++;
	else if (site->kind == RELINK_SITE_BRANCH)
		branches[module]++;
	else if (site->kind == RELINK_SITE_IMMEDIATE)
		numbers[module]++;
	else if (site->kind == RELINK_SITE_ALTERNATIVE)
		alternatives[module]++;
	else if (!strncmp(site->choice, prefix[module], strlen(prefix[module])))
		calls[module]++;
	else
		cross++;
	bound += site->reason == RELINK_BOUND;
	return 0;
}

int main(int argc, char **argv)
{
	struct relink_status status = { .size = sizeof(status) };
	const char *plt = getenv("THROUGH_PLT");
	int through_plt = !plt || *plt != '0';
	int i, modules = 2, missing = 0, wrong = look("at start", 0);

#ifdef STATIC
	(void)argv;
	if (argc > 1)
		return 1;
#else
	if (argc > 1) {
		void *handle = dlopen(argv[1], RTLD_NOW);

		if (handle)
			*(void **)&plugin = dlsym(handle, "look_plugin");
		if (!plugin) {
			printf("%s\n", dlerror());
			return 1;
		}
		modules = 3;
	}
#endif
	wrong |= look("with plugin", 0) || flip(1) || look("flipped", 1);
	relink_each_site(count, NULL);
	wrong |= flip(0) || look("flipped back", 0) || flip(1) || look("again", 1);
	if (relink_get_status(&status))
		return 1;
	for (i = 0; i < modules; i++) {
		wrong |= !branches[i] || !numbers[i];
#ifndef STATIC /* there they are the program's, all of them */
		wrong |= !alternatives[i];
#endif
		missing |= !calls[i] && (through_plt || i == APP || modules == 2);
	}
	missing |= !cross && modules == 3 && through_plt;
	printf("numbers %u+%u+%u, alternatives %u+%u+%u, ", numbers[0], numbers[1], numbers[2], alternatives[0], alternatives[1],
	       alternatives[2]);
	printf("branches %u+%u+%u, calls %u+%u+%u, across %u, trampolines %u, bound %u", branches[0], branches[1], branches[2],
	       calls[0], calls[1], calls[2], cross, trampolines, bound);
	if (strcmp(status.mode, "direct"))
		printf(", mode: %s", status.mode);
	if (*status.notes)
		printf(", notes: %s", status.notes);
	printf("\n");
	return wrong ? 1 : !missing ? 0 : *status.notes || strcmp(status.mode, "direct") ? 3 : 1;
}
