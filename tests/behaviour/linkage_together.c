/* SPDX-License-Identifier: MIT */
// test: SHARED NO_RELOCS NOT generic thread address undefined
// test: TIMEOUT 60
/* linkage_together.c - threads look for modules while another one loads them: what the loader has not finished is left alone. */
#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>

#include "behaviour/check.h"

static struct relink_linkage_options options = RELINK_LINKAGE_OPTIONS;
static atomic_bool done;

static void *look(void *unused)
{
	struct relink_error err;

	while (!done) {
		CHECK_CODE(relink_linkage(&options, &err), RELINK_OK, &err);
		CHECK(relink_linkage_refresh(RELINK_LIVE, NULL) >= 0);
	}
	return unused;
}

static void use_plugin(void)
{
	void *plugin = dlopen(RELINK_TEST_PLUGINS "/linkage_guest.so", RTLD_NOW);
	int (*guest)(int n);

	if (!plugin)
		exit(1);
	*(void **)&guest = dlsym(plugin, "linkage_guest_absolute");
	CHECK(guest(50) == 50);
	dlclose(plugin);
}

int main(void)
{
	pthread_t threads[2];

	options.flags = RELINK_LINKAGE_NO_CACHE;
	if (relink_linkage(&options, NULL) != RELINK_OK)
		return 77;
	for (int i = 0; i < 2; i++)
		if (pthread_create(&threads[i], NULL, look, NULL))
			return 1;
	for (int i = 0; i < 1000; i++)
		use_plugin();
	done = true;
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	return check_done();
}
