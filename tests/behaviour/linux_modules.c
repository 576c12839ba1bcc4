// test: SOURCES behaviour/linux/other.c VARIANTS "-O0" "-O2" "-O2 -fPIC" LINK -rdynamic
/* SPDX-License-Identifier: MIT */
/* The kernel's names across files and modules: declared in a header, defined here, used and changed there. */
#include <dlfcn.h>

#include "check.h"
#include "linux/linux.h"

DEFINE_STATIC_KEY_FALSE(shared_off);
DEFINE_STATIC_KEY_TRUE(shared_on);
DEFINE_STATIC_KEY_ARRAY_FALSE(shared_array, 3);

int shared_add(int n) { return n + 10; }
static int shared_sub(int n) { return n - 10; }
void shared_note(int *n) { *n += 1; }
DEFINE_STATIC_CALL(shared_call, shared_add);
EXPORT_STATIC_CALL(shared_call);
DEFINE_STATIC_CALL_NULL(shared_void, shared_note);
EXPORT_STATIC_CALL_TRAMP_GPL(shared_void);

SEE(here)
struct seen other_see(void);
static struct seen (*guest_see)(void);

static void check_seen(const char *place, const char *when, struct seen got, struct seen want)
{
	CHECKF(got.keys == want.keys, "%s, %s: keys %x, want %x", when, place, got.keys, want.keys);
	CHECKF(got.call == want.call && got.tail == want.call, "%s, %s: call %d, tail call %d", when, place, got.call, got.tail);
	CHECKF(got.hook == want.hook, "%s, %s: hook %d", when, place, got.hook);
}

static void check_all(const char *when, struct seen want)
{
	check_seen("here", when, here_see(), want);
	check_seen("other file", when, other_see(), want);
	if (guest_see)
		check_seen("plugin", when, guest_see(), want);
}

/* A declaration in a header serves all files; a change is seen in all of them. */
static void test_declared_in_header(void)
{
	check_all("at first", (struct seen){ 12, 11, 0, 0 });
	static_branch_enable(&shared_off);
	static_branch_disable(&shared_on);
	static_branch_enable(&shared_array[2]);
	static_call_update(shared_call, shared_sub);
	static_call_update(shared_void, shared_note);
	check_all("changed", (struct seen){ 19, -9, 0, 1 });
	static_branch_disable(&shared_off);
	static_branch_enable(&shared_on);
	static_branch_disable(&shared_array[2]);
	static_call_update(shared_call, shared_add);
	static_call_update(shared_void, NULL);
	check_all("back", (struct seen){ 12, 11, 0, 0 });
	CHECK(relink_linux_last_error(NULL) == 0);
}

/* An exported key or call may be used and changed by a module that was loaded later. */
static void test_module(void)
{
	void *plugin;
	void (*change)(bool on);

	static_branch_inc(&shared_off);
	plugin = dlopen(RELINK_TEST_PLUGINS "/linux_guest.so", RTLD_NOW);
	if (!CHECKF(plugin != NULL, "%s", dlerror()))
		return;
	*(void **)&guest_see = dlsym(plugin, "guest_see");
	*(void **)&change = dlsym(plugin, "guest_change");
	check_all("plugin loaded", (struct seen){ 15, 11, 0, 0 });
	static_branch_dec(&shared_off);
	check_all("changed by the program", (struct seen){ 12, 11, 0, 0 });
	change(true);
	check_all("changed by the plugin", (struct seen){ 3, 71, 0, 0 });
	CHECK(static_key_count(&shared_off) == 1 && static_key_count(&shared_on) == 0);
	change(false);
	check_all("and back", (struct seen){ 12, 11, 0, 0 });
	guest_see = NULL;
	CHECK(dlclose(plugin) == 0);
	check_all("plugin gone", (struct seen){ 12, 11, 0, 0 });
	CHECK(relink_linux_last_error(NULL) == 0);
}

int main(void)
{
	test_declared_in_header();
	test_module();
	test_module();
	return check_done();
}
