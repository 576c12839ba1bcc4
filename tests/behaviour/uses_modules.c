// test: LINK -rdynamic SHARED
/* SPDX-License-Identifier: MIT */
/*
 * Modules with uses come and go: what lists and whole keys say reaches those that come, the program's queries are about what is there;
 * nothing is left when they go.
 */
#include <dlfcn.h>

#include "check.h"
#include "choices/run.h"

RELINK_KEY_FALSE(host_debug, "a key of the program");
__attribute__((noinline)) static int host(void) { return relink_here(host_debug, "here"); }

static struct relink_error err;

struct guest {
	void *handle;
	int (*host)(void), (*host_too)(void), (*own)(void), (*plain)(void);
};

static struct guest load(void)
{
	struct guest g = { .handle = dlopen(RELINK_TEST_PLUGINS "/uses_guest.so", RTLD_NOW) };

	if (!CHECKF(g.handle != NULL, "%s", dlerror()))
		exit(check_done());
	*(void **)&g.host = dlsym(g.handle, "guest_host");
	*(void **)&g.host_too = dlsym(g.handle, "guest_host_too");
	*(void **)&g.own = dlsym(g.handle, "guest_own");
	*(void **)&g.plain = dlsym(g.handle, "guest_plain");
	return g;
}

static int now(const struct guest *g)
{
	return 1000 * g->plain() + 100 * g->own() + 10 * g->host_too() + g->host();
}

static int count(const struct relink_use_info *info, void *ctx)
{
	(void)info;
	++*(int *)ctx;
	return 0;
}

static int uses(void)
{
	int n = 0;

	CHECK(relink_each_use(count, &n) == 0);
	return n;
}

static uint64_t memory(void)
{
	struct relink_status s = { .size = sizeof(s) };

	relink_get_status(&s);
	return s.memory;
}

static void test_untouched(void)
{
	struct guest g = load();

	CHECK(now(&g) == 0);
	dlclose(g.handle);
	CHECK(uses() == 1);
}

static void test_queries(void)
{
	uint64_t before = memory();

	for (int i = 0; i < 20; i++) {
		struct guest g = load();

		CHECK(now(&g) == 0);
		CHECK_CODE(relink_uses_query("module uses_guest +; func guest_host -", &err), RELINK_OK, &err);
		CHECK(now(&g) == 110 && uses() == 4 && !host());
		CHECK_CODE(relink_uses_query("func guest_host +", &err), RELINK_OK, &err);
		CHECK(now(&g) == 111);
		dlclose(g.handle);
		CHECK(uses() == 1);
		CHECKF(memory() == before, "%llu bytes, %llu before", (unsigned long long)memory(), (unsigned long long)before);
		CHECK_CODE(relink_uses_query("module uses_guest +", &err), RELINK_E_UNKNOWN, &err);
	}
}

static void test_whole_key(void)
{
	struct guest g;

	CHECK_CODE(relink_key_enable(host_debug, &err), RELINK_OK, &err);
	CHECK_CODE(relink_uses_query("func host -", &err), RELINK_OK, &err);
	g = load();
	CHECK(now(&g) == 1011 && !host());
	CHECK_CODE(relink_uses_query("func guest_host_too -", &err), RELINK_OK, &err);
	CHECK(now(&g) == 1001);
	dlclose(g.handle);
	/* Whoever comes again has not been asked about. */
	g = load();
	CHECK(now(&g) == 1011);
	CHECK_CODE(relink_key_clear(host_debug, &err), RELINK_OK, &err);
	CHECK(now(&g) == 0 && !host());
	dlclose(g.handle);
}

/* Run with a list in the environment and one on the command line. */
static int child(int argc, char **argv)
{
	struct guest g;

	CHECK_CODE(relink_init(&argc, argv, &err), RELINK_OK, &err);
	for (int i = 0; i < 3; i++) {
		g = load();
		CHECKF(now(&g) == 101, "%d", now(&g));
		CHECK_CODE(relink_uses_query("func guest_own -", &err), RELINK_OK, &err);
		CHECK(now(&g) == 1);
		dlclose(g.handle);
	}
	CHECK_CODE(relink_apply("host_debug=on", &err), RELINK_OK, &err);
	g = load();
	CHECKF(now(&g) == 1111, "%d", now(&g)); /* the key came after the query of its level */
	CHECK(host());
	dlclose(g.handle);
	return check_done();
}

static void test_lists(void)
{
	static struct run r = { .argv = { "child", "--relink", "{module uses_guest func guest_host_too -}" },
				.environment = { "RELINK={func guest_* +}" } };

	run(&r);
	CHECKF(r.status == 0, "status %d\n%s", r.status, r.output);
}

int main(int argc, char **argv)
{
	if (argc > 1)
		return child(argc, argv);
	test_untouched();
	test_queries();
	test_whole_key();
	test_lists();
	return check_done();
}
