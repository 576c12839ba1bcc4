/* SPDX-License-Identifier: MIT */
// test: NO_RELOCS NOT generic thread address undefined
// test: TIMEOUT 60
/* linkage_static.c - relink in the program itself, far from libraries whose slots are filled at the first call. */
#include <dlfcn.h>

#include "behaviour/check.h"

static uint64_t bound;

static int count(const struct relink_linkage_info *info, void *ctx)
{
	(void)ctx;
	if (strstr(info->module, "linkage_guest"))
		bound += info->calls[RELINK_LINK_BOUND];
	return 0;
}

int main(void)
{
	struct relink_linkage_options o = RELINK_LINKAGE_OPTIONS;
	void *plugin = dlopen(RELINK_TEST_PLUGINS "/linkage_guest.so", RTLD_LAZY);
	struct relink_error err;
	int (*guest)(int n);

	o.policy = RELINK_LINKAGE_LEARN;
	o.flags = RELINK_LINKAGE_NO_CACHE;
	if (!plugin)
		return 1;
	*(void **)&guest = dlsym(plugin, "linkage_guest_absolute");
	if (relink_linkage(&o, &err) != RELINK_OK || getenv("LD_BIND_NOW"))
		return 77;
	CHECK(guest(1) == 1);
	/* Other calls are seen: then it is looked what has become of the slot. */
	for (int i = 0; i < 8; i++) {
		char *volatile copy = strdup(getenv("PATH") ? getenv("PATH") : "/bin");

		free(copy);
	}
	CHECK(guest(100) == 100);
	relink_each_linkage(NULL, count, NULL);
	CHECKF(bound == 1, "%llu bound", (unsigned long long)bound);
	return check_done();
}
