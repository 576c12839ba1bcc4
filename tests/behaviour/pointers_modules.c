/* test: LINK -rdynamic VARIANTS "-O2" "-O2 -DTRAPS" NOT generic */
/* SPDX-License-Identifier: MIT */
/*
 * pointers_modules.c - accelerated pointers of a plugin: they are the plugin's until the next commit, and then bound and protected; it
 * calls through one of the program's; the program's leads to it when it leaves.
 */
#include <dlfcn.h>

#include "check.h"

static int one(int x)
{
	return x + 1;
}

static int two(int x)
{
	return x + 2;
}

extern int (*host_pointer)(int);
RELINK_POINTER int (*host_pointer)(int) = one;
RELINK_POINTER_INFO(host_pointer, "plugins use it, too");

static struct relink_error err;
static void *plugin;
static int (*guest_look)(void);
static void (*guest_assign)(void);
static int (*guest_set)(int to_second, int mode, struct relink_error *err);
static int (*guest_function)(int x);

static __attribute__((noinline)) int host_look(void)
{
	return host_pointer(0) * 10;
}

static bool load(void)
{
	plugin = dlopen(RELINK_TEST_PLUGINS "/pointers_guest.so", RTLD_NOW);
	if (!CHECKF(plugin != NULL, "%s", dlerror()))
		return false;
	*(void **)&guest_look = dlsym(plugin, "guest_look");
	*(void **)&guest_assign = dlsym(plugin, "guest_assign");
	*(void **)&guest_set = dlsym(plugin, "guest_set");
	*(void **)&guest_function = dlsym(plugin, "guest_function");
	return true;
}

struct sites {
	unsigned by[RELINK_SITE_KINDS][RELINK_REASONS];
};

static int count_site(const struct relink_site_info *info, void *ctx)
{
	struct sites *s = ctx;

	if (!strcmp(info->module, "pointers_guest.so"))
		s->by[info->kind][info->reason]++;
	return 0;
}

static struct sites guest_sites(void)
{
	struct sites s = { 0 };

	CHECK(!relink_each_site(count_site, &s));
	return s;
}

static void visit_once(bool leave)
{
	struct sites s;

	if (!load())
		return;
	CHECKF(guest_look() == 2111, "%d", guest_look());
	guest_assign();
	CHECKF(guest_look() == 2211, "%d", guest_look());
	s = guest_sites();
	CHECK(s.by[RELINK_SITE_POINTER_CALL][RELINK_UNCOMMITTED] == 2 && s.by[RELINK_SITE_POINTER_USE][RELINK_BY_GOT] >= 2);
	CHECK_CODE(relink_pointers_commit(&err), 0, &err);
	s = guest_sites();
	/* Final ones, with one thread: static and hidden. */
	CHECKF(s.by[RELINK_SITE_POINTER_CALL][RELINK_BOUND] == 2, "%u bound", s.by[RELINK_SITE_POINTER_CALL][RELINK_BOUND]);
	CHECKF(guest_look() == 2211, "%d", guest_look());
	CHECK_CODE(guest_set(0, RELINK_STOP, &err), 0, &err);
	CHECKF(guest_look() == 2111, "%d", guest_look());
	CHECK_CODE(relink_pointer_set(host_pointer, two, &err), 0, &err);
	CHECKF(guest_look() == 2112 && host_look() == 20, "%d %d", guest_look(), host_look());
	CHECK_CODE(relink_pointer_set(host_pointer, guest_function, &err), 0, &err);
	CHECK(host_look() == 70 && guest_look() == 2117);
	if (!leave)
		return;
	CHECK(!dlclose(plugin));
	CHECK(host_look() == 10 && host_pointer == one);
}

int main(void)
{
#ifdef TRAPS
	CHECK_CODE(relink_declare(RELINK_TRAPS, &err), 0, &err);
#endif
	CHECK_CODE(relink_pointers_commit(&err), 0, &err);
	CHECK(host_look() == 10);
	visit_once(true);
	CHECK_CODE(relink_pointer_set(host_pointer, one, &err), 0, &err);
	visit_once(true);
	CHECK_CODE(relink_pointer_set(host_pointer, one, &err), 0, &err);
	visit_once(false);
	check_print_status();
	return check_done();
}
