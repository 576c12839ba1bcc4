/* SPDX-License-Identifier: MIT */
// test: SHARED NO_RELOCS NOT generic thread address undefined
// test: TIMEOUT 60
/* linkage_gone.c - a plugin that is loaded and unloaded more often than there is room for modules, and slots, at a time. */
#include <dlfcn.h>

#include "behaviour/check.h"

#define TIMES 1500

static uint64_t bound;

static int count(const struct relink_linkage_info *info, void *ctx)
{
	(void)ctx;
	if (strstr(info->module, "linkage_guest"))
		bound += info->calls[RELINK_LINK_BOUND];
	return 0;
}

static int (*load(void **plugin))(int n)
{
	int (*function)(int n);

	*plugin = dlopen(RELINK_TEST_PLUGINS "/linkage_guest.so", RTLD_NOW);
	if (!*plugin || relink_linkage_refresh(RELINK_LIVE, NULL) != 0)
		exit(1);
	*(void **)&function = dlsym(*plugin, "linkage_guest_absolute");
	return function;
}

/* Every second time too few calls to be bound: the next one comes to the same place, and is like a new one. */
static uint64_t use_plugin(int i)
{
	struct relink_linkage_status status = { .size = sizeof(status) };
	void *plugin;
	int (*guest)(int n) = load(&plugin), n = i % 2 ? 3 : 3000; /* of many that get hot, a few are bound together */

	CHECK(guest(n) == n);
	bound = 0;
	relink_each_linkage(&status, count, NULL);
	CHECKF(bound == (i % 2 ? 0 : 1), "time %d: %llu bound", i, (unsigned long long)bound);
	CHECKF(!status.notes[0], "%s", status.notes);
	dlclose(plugin);
	return status.watching;
}

int main(void)
{
	struct relink_linkage_options o = RELINK_LINKAGE_OPTIONS;
	struct relink_error err;
	uint64_t first;

	o.policy = RELINK_LINKAGE_LEARN;
	o.flags = RELINK_LINKAGE_NO_CACHE;
	if (relink_linkage(&o, &err) != RELINK_OK)
		return 77;
	first = use_plugin(0);
	/* Slots are given back in between, and none are added. */
	for (int i = 1; i < TIMES; i++)
		if (use_plugin(i) > first)
			return 1;
	return check_done();
}
