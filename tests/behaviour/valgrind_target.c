/* SPDX-License-Identifier: MIT */
/* test: NO_RUN */
/* valgrind_target.c - is run by valgrind.sh; does what can be done in the mode that the library has found, and says which. */
#include "stress.h"

RELINK_KEY_FALSE(flag, "can't change where code can't be written");
RELINK_KEY_FALSE(counted, "nor can this one");
RELINK_DECLARE_CALL(int, route, (int x));
static int route_a(int x) { return 10 * x + 1; }
static int route_b(int x) { return 10 * x + 2; }
RELINK_DEFINE_CALL(route, route_a, "goes to its target in any case");
RELINK_VARIANT(route, route_b);

static int wanted = 1; /* of route */

__attribute__((noinline)) static bool flag_now(void) { return relink_unlikely(flag); }
__attribute__((noinline)) static bool counted_now(void) { return relink_likely(counted); }
__attribute__((noinline)) static int route_now(int x) { return route(x) - 10 * x; }

static void *reader(void *unused)
{
	while (running()) {
		int r = route_now(7);

		CHECK(r == 1 || r == 2);
		rest();
	}
	return unused;
}

static void change(bool direct, bool on)
{
	struct relink_error err;
	int want = direct ? RELINK_OK : RELINK_E_WRITE;

	CHECK_CODE(relink_key_set(flag, on, &err), on == relink_key_enabled(flag) && !direct ? RELINK_OK : want, &err);
	CHECK(flag_now() == (direct && on) && relink_key_enabled(flag) == flag_now());
	CHECK_CODE(relink_key_inc(counted, &err), want, &err);
	CHECK(counted_now() == direct && relink_key_enabled(counted) == direct);
	if (direct)
		CHECK_CODE(relink_key_dec(counted, &err), RELINK_OK, &err);
	wanted = on ? 2 : 1;
	CHECK_CODE(relink_call_set(route, on ? route_b : route_a, &err), RELINK_OK, &err);
	CHECK(route_now(3) == wanted && relink_call_target(route)(0) == wanted);
}

int main(void)
{
	struct relink_status status = { .size = sizeof(status) };
	bool direct;

	CHECK(relink_get_status(&status) == 0);
	direct = !strncmp(status.mode, "direct", 6);
	CHECK(direct || !strncmp(status.mode, "indirect: ", 10));
	for (unsigned i = 0; i < 2; i++)
		start(reader, NULL);
	for (unsigned i = 1; i < 8; i++)
		change(direct, i & 1);
	finish();
	printf("mode: %s\n", status.mode);
	return check_done();
}
