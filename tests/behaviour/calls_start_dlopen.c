// test: NOT address undefined thread
/* SPDX-License-Identifier: MIT */
/* The same in a plugin, loaded twice. */
#include <dlfcn.h>

#include "check.h"
#include "calls/start.h"

static void check_plugin(void)
{
	void *plugin = dlopen(RELINK_TEST_PLUGINS "/calls_start_so.so", RTLD_NOW);
	struct start_seen *seen;
	int (*resolved)(void), *count;

	if (!CHECKF(plugin != NULL, "%s", dlerror()))
		return;
	seen = dlsym(plugin, "start_seen");
	count = dlsym(plugin, "start_count");
	*(void **)&resolved = dlsym(plugin, "start_own_resolved");
	CHECK(*count > 12 && *count < 32);
	for (int i = 0; i < *count; i++)
		CHECKF(seen[i].got == seen[i].want, "%s: got %d, want %d", seen[i].where, seen[i].got, seen[i].want);
	CHECKF(resolved() == 1, "the ifunc resolver saw other targets");
	CHECK(dlclose(plugin) == 0);
}

int main(void)
{
	check_plugin();
	check_plugin();
	return check_done();
}
