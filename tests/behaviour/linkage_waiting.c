/* SPDX-License-Identifier: MIT */
// test: SHARED NO_RELOCS NOT generic thread address undefined
// test: TIMEOUT 30
/* linkage_waiting.c - a thread makes calls that the recorder wants to work on while another one holds the loader's lock. */
#include <dlfcn.h>
#include <link.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <time.h>

#include "behaviour/check.h"

static int (*guest)(int n);
static atomic_int calls;
static atomic_bool go;

/* It has a copy of the loader's lock, whose owner it has not. */
static void child_ends(void)
{
	const struct timespec pause = { 0, 1000000 };
	pid_t child = fork();
	int status = -1;

	if (child == 0)
		exit(guest(2000) != 2000);
	for (int i = 0; i < 3000 && waitpid(child, &status, WNOHANG) == 0; i++)
		nanosleep(&pause, NULL);
	CHECKF(status == 0, "the child's status is %d", status);
	if (status)
		kill(child, SIGKILL);
}

static void *call(void *unused)
{
	(void)unused;
	while (!go)
		;
	for (int i = 0; i < 4000; i++)
		calls += guest(1);
	return NULL;
}

static void *start_child(void *unused)
{
	child_ends();
	return unused;
}

static int hold_loader(struct dl_phdr_info *info, size_t size, void *ctx)
{
	pthread_t thread;

	(void)info, (void)size, (void)ctx;
	if (!pthread_create(&thread, NULL, start_child, NULL))
		pthread_join(thread, NULL);
	return 1;
}

static bool all_made(void)
{
	const struct timespec pause = { 0, 1000000 };

	for (int i = 0; i < 5000 && calls < 4000; i++)
		nanosleep(&pause, NULL);
	return calls == 4000;
}

/* Whoever calls guest() would wait for us in the recorder, with whatever locks it holds. */
static int visit(const struct relink_linkage_info *info, void *ctx)
{
	(void)info, (void)ctx;
	go = true;
	CHECK(all_made());
	CHECK(relink_linkage_refresh(RELINK_LIVE, NULL) == RELINK_E_CONTEXT);
	return 7;
}

int main(void)
{
	struct relink_linkage_options o = RELINK_LINKAGE_OPTIONS;
	void *plugin = dlopen(RELINK_TEST_PLUGINS "/linkage_guest.so", RTLD_NOW);
	struct relink_error err;
	pthread_t thread;

	if (!plugin)
		return 1;
	*(void **)&guest = dlsym(plugin, "linkage_guest_pid");
	o.policy = RELINK_LINKAGE_LEARN;
	o.flags = RELINK_LINKAGE_NO_CACHE;
	if (relink_linkage(&o, &err) != RELINK_OK)
		return 77;
	if (pthread_create(&thread, NULL, call, NULL))
		return 1;
	CHECK(relink_each_linkage(NULL, visit, NULL) == 7);
	pthread_join(thread, NULL);
	dl_iterate_phdr(hold_loader, NULL);
	/* And afterwards it works. */
	CHECK(guest(4000) == 4000);
	return check_done();
}
