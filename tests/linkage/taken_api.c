/* SPDX-License-Identifier: MIT */
/* taken_api.c - stubs that lead to the recorder, and back home: the bytes say so. */
#include <dlfcn.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../behaviour/check.h"
#include "taken.h"

#include <relink/linkage.h>

static const unsigned char *stub;
static unsigned char before[16];
static uintptr_t *slot;

static int is_home(void)
{
	return memcmp(stub, before, sizeof(before)) == 0;
}

static void calls(void)
{
	CHECK(calls_taken(1000) == 500500 && once(1) == 4);
	CHECK(address() == (function *)dlsym(RTLD_DEFAULT, "taken") && *slot == (uintptr_t)address());
}

static int add(const struct relink_linkage_info *info, void *ctx)
{
	if (!strcmp(info->module, "libtaken.so"))
		*(uint64_t *)ctx += info->calls[RELINK_LINK_BOUND];
	CHECK(info->differ == 0);
	return 0;
}

static uint64_t bound(void)
{
	uint64_t count = 0;

	relink_each_linkage(NULL, add, &count);
	return count;
}

static void begin(int policy)
{
	struct relink_linkage_options options = RELINK_LINKAGE_OPTIONS;
	struct relink_error err;

	options.policy = policy;
	options.flags = RELINK_LINKAGE_VERIFY | RELINK_LINKAGE_NO_CACHE;
	CHECK_CODE(relink_linkage(&options, &err), 0, &err);
}

static void reverts(void)
{
	struct relink_error err;

	CHECK(!is_home());
	calls();
	CHECK(bound() == 1);
	CHECK_CODE(relink_linkage_revert("libtaken", RELINK_LIVE, &err), 0, &err);
	CHECK(is_home() && bound() == 0);
	calls();
	CHECK(is_home() && bound() == 0);
	CHECK_CODE(relink_linkage_revert(NULL, RELINK_LIVE, &err), 0, &err);
	CHECK(is_home());
	put(slot, (void *)hook);
	CHECK(once(1) == 2002);
}

/* Who comes from where no call can be bound: through a pointer to the stub itself. */
static void tires(void)
{
	function *volatile pointer = (function *)(uintptr_t)stub;

	CHECK(!is_home());
	for (int i = 0; i < 500; i++)
		CHECK(pointer(i) == i + 1);
	CHECK(!is_home());
	for (int i = 0; i < 4000; i++)
		CHECK(pointer(i) == i + 1);
	CHECK(is_home());
	calls();
	put(slot, (void *)hook);
	CHECK(once(1) == 2002 && pointer(1) == 1001);
}

static void policies(void)
{
	begin(RELINK_LINKAGE_CACHED);
	CHECK(is_home());
	calls();
	begin(RELINK_LINKAGE_ALL);
	CHECK(is_home());
	calls();
}

/* ---- threads ---- */

static volatile int stop;
static int wrong;

static void *runs(void *unused)
{
	while (!stop)
		if (calls_taken(100) != 5050 || address() != (function *)dlsym(RTLD_DEFAULT, "taken"))
			__atomic_fetch_add(&wrong, 1, __ATOMIC_RELAXED);
	return unused;
}

#define THREADS 3
static pthread_t thread[THREADS];

static void start_threads(void)
{
	for (int i = 0; i < THREADS; i++)
		pthread_create(&thread[i], NULL, runs, NULL);
	usleep(20000);
}

static void stop_threads(void)
{
	stop = 1;
	for (int i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	CHECK(wrong == 0);
}

/* A stub that can't be led home while threads run goes on without the recorder, and where its slot leads once that has been looked at. */
static void live(void)
{
	struct relink_error err;
	int r;

	CHECK(!is_home());
	start_threads();
	r = relink_linkage_revert("libtaken", RELINK_LIVE, &err);
	CHECKF(r == 0 || r == RELINK_E_MODE, "%s", relink_code_name(r));
	CHECK((r == 0) == is_home());
	CHECK(once(1) == 4);
	stop_threads();
	stop = 0;
	put(slot, (void *)hook);
	CHECK(relink_linkage_refresh(RELINK_LIVE, &err) >= 0);
	CHECK(once(1) == 2002);
	put(slot, (void *)dlsym(RTLD_DEFAULT, "taken"));
	CHECK(relink_linkage_refresh(RELINK_LIVE, &err) >= 0);
	start_threads();
	CHECK_CODE(relink_linkage_revert("libtaken", RELINK_STOP, &err), 0, &err);
	CHECK(is_home() && bound() == 0);
	stop_threads();
	calls();
}

/* Threads are there first: no stub changes, and none is believed to have changed. */
static void late(void)
{
	start_threads();
	begin(RELINK_LINKAGE_LEARN);
	CHECK(is_home());
	CHECK(once(1) == 4 && address() == (function *)dlsym(RTLD_DEFAULT, "taken"));
	stop_threads();
	calls();
	CHECK(is_home());
}

/* ---- fork ---- */

static void in_child(void)
{
	struct relink_error err;

	CHECK(!is_home());
	calls();
	CHECK(bound() == 1);
	CHECK_CODE(relink_linkage_revert("libtaken", RELINK_LIVE, &err), 0, &err);
	CHECK(is_home());
	calls();
	fflush(NULL);
	_exit(check_done());
}

static void forks(void)
{
	pid_t child = fork();
	int status = 1;

	if (!child)
		in_child();
	CHECK(waitpid(child, &status, 0) == child && status == 0);
	CHECK(!is_home() && bound() == 0);
	calls();
	CHECK(bound() == 1);
}

/* ---- a library that comes and goes ---- */

static void reopens(void)
{
	struct relink_error err;

	for (int i = 0; i < 10; i++) {
		void *handle = dlopen("libtakenplugin.so", RTLD_NOW | RTLD_LOCAL);
		int (*call_all)(int) = handle ? (int (*)(int))dlsym(handle, "call_all") : NULL;
		function *last = handle ? (function *)dlsym(handle, "p259") : NULL;
		const unsigned char *its;
		unsigned char home[16];

		if (!CHECK(call_all && last))
			return;
		for (its = (const unsigned char *)call_all; its < (const unsigned char *)call_all + 32768 && !stub_in(its, last); its++)
			;
		its = stub_in(its, last);
		if (!CHECK(its != NULL))
			return;
		memcpy(home, its, sizeof(home));
		CHECK(relink_linkage_refresh(RELINK_LIVE, &err) == 0);
		CHECKF(memcmp(home, its, sizeof(home)) != 0, "opened %d times: the stub leads to no recorder", i + 1);
		CHECK(call_all(1) == 200 * ROW_COUNT);
		CHECK(dlclose(handle) == 0);
		calls();
	}
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";

	stub = stub_in((const void *)(uintptr_t)once, (const void *)(uintptr_t)address());
	slot = stub ? slot_behind(stub) : NULL;
	if (!slot) {
		printf("there is no stub that reads the slot of `taken`\n");
		return 77;
	}
	memcpy(before, stub, sizeof(before));
	if (!strcmp(mode, "late") || !strcmp(mode, "policies")) {
		strcmp(mode, "late") ? policies() : late();
		return check_done();
	}
	begin(RELINK_LINKAGE_LEARN);
	if (!strcmp(mode, "reverts"))
		reverts();
	else if (!strcmp(mode, "tires"))
		tires();
	else if (!strcmp(mode, "live"))
		live();
	else if (!strcmp(mode, "fork"))
		forks();
	else
		reopens();
	return check_done();
}
