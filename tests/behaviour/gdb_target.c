/* SPDX-License-Identifier: MIT */
/* test: NO_RUN */
/* gdb_target.c - is run by gdb.sh, which sets breakpoints where stop_here() was called for. */
#include "stress.h"

RELINK_KEY_FALSE(flag, "has two sites, of which one gets a breakpoint");
RELINK_DECLARE_CALL(int, route, (void));
static int route_a(void) { return 1; }
static int route_b(void) { return 2; }
RELINK_DEFINE_CALL(route, route_a, "has sites everywhere");
RELINK_VARIANT(route, route_b);

uintptr_t site_address; /* where gdb puts its breakpoint */

__attribute__((noinline)) static bool first_site(void) { return relink_unlikely(flag); }
__attribute__((noinline)) static bool second_site(void) { return relink_unlikely(flag); }
#define CALL(n) \
	static __attribute__((noinline)) int call_##n(void) \
	{ \
		SKIP_TO(64, n); \
		int r = route(); \
		__asm__ volatile("" : "+r"(r)); \
		return r; \
	}
EACH_16(CALL)
#define CALL_NAME(n) call_##n,
static int (*const calls[])(void) = { EACH_16(CALL_NAME) };

__attribute__((noinline)) void stop_here(const char *what);
void stop_here(const char *what)
{
	__asm__ volatile("" : : "r"(what) : "memory");
}

static int take_site(const struct relink_site_info *site, void *wanted)
{
	const struct relink_site_info *w = wanted;

	if (strcmp(site->choice, w->choice) || site->kind != w->kind || site->reason != RELINK_BOUND)
		return 0;
	site_address = site->address;
	return 1;
}

static void find_site(const char *choice, int kind)
{
	struct relink_site_info wanted = { .choice = choice, .kind = kind };

	if (relink_each_site(take_site, &wanted) == 1)
		return;
	CHECKF(kind == RELINK_SITE_CALL, "%s has no such site", choice);
	find_site(choice, RELINK_SITE_TRAMPOLINE);
}

static unsigned calls_that_say(int result)
{
	unsigned n = 0;

	for (unsigned i = 0; i < COUNT(calls); i++)
		n += calls[i]() == result;
	return n;
}

/* gdb sets a breakpoint, later it deletes it. */
static void key_with_breakpoint(void)
{
	struct relink_error err;

	find_site("flag", RELINK_SITE_BRANCH);
	stop_here("set");
	CHECK_CODE(relink_key_enable(flag, &err), RELINK_E_BREAKPOINT, &err);
	CHECK(err.site == site_address && strcmp(err.choice, "flag") == 0);
	CHECK_HAS(relink_error_text(&err), "breakpoint");
	CHECK(!relink_key_enabled(flag));
	stop_here("delete");
	CHECK(!first_site() && !second_site());
	CHECK_CODE(relink_key_enable(flag, &err), RELINK_OK, &err);
	CHECK(first_site() && second_site());
}

static void call_with_breakpoint(int kind)
{
	struct relink_error err;

	CHECK_CODE(relink_call_set(route, route_a, &err), RELINK_OK, &err);
	find_site("route", kind);
	stop_here("set");
	CHECK_CODE(relink_call_set(route, route_b, &err), RELINK_E_BREAKPOINT, &err);
	CHECK(err.site == site_address && relink_call_target(route) == route_a);
	stop_here("delete");
	CHECK(calls_that_say(1) == COUNT(calls));
	CHECK_CODE(relink_call_set(route, route_b, &err), RELINK_OK, &err);
	CHECK(calls_that_say(2) == COUNT(calls));
}

/* ---- flips under a debugger ---- */

static unsigned long looks;

static void *reader(void *unused)
{
	while (running()) {
		first_site();
		second_site();
		for (unsigned i = 0; i < COUNT(calls); i++) {
			int r = calls[i]();

			if (r != 1 && r != 2)
				CHECKF(false, "site %u of route returns %d", i, r);
		}
		__atomic_fetch_add(&looks, 1, __ATOMIC_RELAXED);
	}
	return unused;
}

static void flips(void)
{
	struct relink_error err;

	for (unsigned i = 0; i < 4; i++)
		start(reader, NULL);
	for (unsigned i = 0; i < 300; i++) {
		CHECK_CODE(relink_key_set(flag, i & 1, &err), RELINK_OK, &err);
		CHECK(first_site() == (i & 1) && second_site() == (i & 1));
		CHECK_CODE(relink_call_set(route, i & 1 ? route_b : route_a, &err), RELINK_OK, &err);
	}
	/* No int3 while somebody traces us, who would take it for his. */
	CHECK_CODE(relink_declare(RELINK_STRICT_XMC, &err), RELINK_E_TRAPS, &err);
	CHECK_HAS(relink_error_text(&err), "debugger");
	CHECK_CODE(relink_key_set(flag, false, &err), RELINK_E_TRAPS, &err);
	CHECK(first_site() && second_site());
	finish();
	CHECK(looks > 0);
}

int main(void)
{
	struct relink_status status = { .size = sizeof(status) };

	CHECK(relink_get_status(&status) == 0);
	CHECKF(strcmp(status.mode, "direct") == 0, "the mode is %s", status.mode);
	key_with_breakpoint();
	call_with_breakpoint(RELINK_SITE_TRAMPOLINE);
	call_with_breakpoint(RELINK_SITE_CALL);
	flips();
	return check_done();
}
