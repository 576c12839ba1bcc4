/* SPDX-License-Identifier: MIT */
// test: SHARED NO_RELOCS NOT generic thread address undefined
// test: TIMEOUT 60
/* linkage_again.c - relink_linkage more than once, with threads, after all was led back, after a sandbox; each in a process of its own. */
#include <dlfcn.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "behaviour/check.h"

static struct relink_linkage_options options = RELINK_LINKAGE_OPTIONS;
static struct relink_linkage_info seen;
static struct relink_error err;
static int (*guest_absolute)(int n), (*guest_pid)(int n);

static void load(void)
{
	void *plugin = dlopen(RELINK_TEST_PLUGINS "/linkage_guest.so", RTLD_NOW);

	if (!plugin)
		exit(1);
	*(void **)&guest_absolute = dlsym(plugin, "linkage_guest_absolute");
	*(void **)&guest_pid = dlsym(plugin, "linkage_guest_pid");
}

static int find(const struct relink_linkage_info *info, void *ctx)
{
	(void)ctx;
	if (strstr(info->module, "linkage_guest"))
		seen = *info;
	return 0;
}

static const struct relink_linkage_info *look(void)
{
	memset(&seen, 0, sizeof(seen));
	CHECK(relink_each_linkage(NULL, find, NULL) == 0);
	return &seen;
}

static int call(int policy)
{
	options.policy = policy;
	return relink_linkage(&options, &err);
}

static void *wait_for(void *lock)
{
	pthread_mutex_lock(lock);
	return NULL;
}

/* Nothing is written, so nothing has become private, nor taken from the budget. */
static void with_threads(void)
{
	pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	pthread_t thread;

	load();
	pthread_mutex_lock(&lock);
	if (pthread_create(&thread, NULL, wait_for, &lock))
		exit(1);
	CHECK_CODE(call(RELINK_LINKAGE_ALL), RELINK_E_THREADS, &err);
	CHECK(look()->calls[RELINK_LINK_THREADS] == 2 && seen.calls[RELINK_LINK_BOUND] == 0);
	CHECKF(seen.pages == 0, "%llu pages", (unsigned long long)seen.pages);
}

static void other_policy(void)
{
	load();
	CHECK_CODE(call(RELINK_LINKAGE_LEARN), RELINK_OK, &err);
	guest_absolute(100);
	CHECK(look()->calls[RELINK_LINK_BOUND] == 1 && seen.pages == 1);
	CHECK_CODE(call(RELINK_LINKAGE_CACHED), RELINK_OK, &err);
	guest_pid(100);
	CHECK(look()->found == 1);
}

static void after_all_was_led_back(void)
{
	CHECK_CODE(call(RELINK_LINKAGE_LEARN), RELINK_OK, &err);
	CHECK_CODE(relink_linkage_revert(NULL, RELINK_LIVE, &err), RELINK_OK, &err);
	load();
	CHECK(relink_linkage_refresh(RELINK_LIVE, NULL) == 0);
	guest_absolute(100);
	CHECK(look()->found == 0 && seen.why);
}

static void later_is_bound_again(void)
{
	CHECK_CODE(call(RELINK_LINKAGE_LEARN), RELINK_OK, &err);
	CHECK_CODE(relink_linkage_revert(NULL, RELINK_LIVE, &err), RELINK_OK, &err);
	CHECK_CODE(call(RELINK_LINKAGE_LEARN), RELINK_OK, &err);
	load();
	CHECK(relink_linkage_refresh(RELINK_LIVE, NULL) == 0);
	guest_absolute(100);
	CHECK(look()->calls[RELINK_LINK_BOUND] == 1);
}

static void during_learning(void)
{
	load();
	CHECK_CODE(call(RELINK_LINKAGE_LEARN), RELINK_OK, &err);
	guest_absolute(10);
	CHECK_CODE(relink_linkage_revert("linkage_guest", RELINK_LIVE, &err), RELINK_OK, &err);
	CHECK(guest_absolute(100) == 100 && guest_pid(100) == 100);
	CHECK(look()->found == 0 && seen.why);
	CHECK_CODE(call(RELINK_LINKAGE_LEARN), RELINK_OK, &err);
	CHECK(guest_absolute(100) == 100 && look()->found == 0);
}

/* A call that fails; but who knows that before. */
static void shut_in(void)
{
	struct relink_linkage_status status = { .size = sizeof(status) };

	load();
	CHECK_CODE(call(RELINK_LINKAGE_LEARN), RELINK_OK, &err);
	prctl(PR_SET_SECCOMP, 99, 0, 0, 0);
	CHECK(relink_each_linkage(&status, NULL, NULL) == 0 && status.closed);
	CHECK_CODE(call(RELINK_LINKAGE_ALL), RELINK_E_CONTEXT, &err);
	CHECK_CODE(relink_linkage_revert(NULL, RELINK_LIVE, &err), RELINK_E_CONTEXT, &err);
	CHECK_CODE(relink_linkage_refresh(RELINK_LIVE, &err), RELINK_E_CONTEXT, &err);
	CHECK(look()->calls[RELINK_LINK_BOUND] == 0);
}

static void nothing_asked_for(void)
{
	CHECK(relink_each_linkage(NULL, NULL, NULL) == 0);
	CHECK_CODE(relink_linkage(NULL, &err), RELINK_E_ARGUMENT, &err);
	CHECK_CODE(relink_linkage_revert("libnone", RELINK_LIVE, &err), RELINK_E_UNKNOWN, &err);
}

static void in_child(void (*test)(void))
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		test();
		_exit(check_failed_ > 0);
	}
	waitpid(child, &status, 0);
	CHECKF(status == 0, "status %x", (unsigned)status);
}

int main(void)
{
	static void (*const tests[])(void) = { with_threads, other_policy, after_all_was_led_back, later_is_bound_again, during_learning,
					       shut_in, nothing_asked_for };
	struct relink_status status = { .size = sizeof(status) };

	options.flags = RELINK_LINKAGE_NO_CACHE;
	if (relink_get_status(&status) || !strcmp(status.writer, "none"))
		return 77;
	for (size_t i = 0; i < COUNT(tests); i++)
		in_child(tests[i]);
	return check_done();
}
