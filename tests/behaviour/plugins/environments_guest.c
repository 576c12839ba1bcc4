// test: FLAGS -fPIC -O2
/* SPDX-License-Identifier: MIT */
/* A plugin that uses the program's choices, and has some of its own that want to be other than they were linked. */
#include "behaviour/environments/guest.h"

#include <stddef.h>

RELINK_KEY_FALSE(guest_off, "stays as it is");
RELINK_KEY_TRUE(guest_on, "the command line may want it off");

RELINK_DECLARE_CALL(unsigned, guest_call, (unsigned x));
static unsigned guest_call_0(unsigned x) { return 4 * x; }
static unsigned guest_call_1(unsigned x) { return 4 * x + 1; }
RELINK_DEFINE_CALL(guest_call, guest_call_0, "its best variant is not the default");
RELINK_VARIANT(guest_call, guest_call_1, .rank = 10);

RELINK_DECLARE_OPTION(guest_way, left, right);
RELINK_OPTION(guest_way, "its choice function wants right", left, right);
static const char *choose_way(const struct relink_facts *facts)
{
	return facts->cpus ? "right" : NULL;
}
RELINK_CHOOSE(guest_way, choose_way);

guest_look look_around;
guest_wish enable_own, clear_call, set_way;

void look_around(struct guest_view *view)
{
	*view = (struct guest_view){ .host_off = relink_unlikely(host_off) ? 1 : 0,
				     .host_on = relink_likely(host_on) ? 1 : 0,
				     .host_same = relink_unlikely(host_same) ? 1 : 0,
				     .host_call = host_call(5) - 20,
				     .guest_off = relink_unlikely(guest_off) ? 1 : 0,
				     .guest_on = relink_likely(guest_on) ? 1 : 0,
				     .guest_way = relink_option_is(guest_way, right) ? 1 : 0,
				     .guest_call = guest_call(6) - 24 };
}

int enable_own(struct relink_error *err)
{
	return relink_key_enable(guest_off, err);
}

int clear_call(struct relink_error *err)
{
	return relink_call_set(guest_call, guest_call_0, err);
}

int set_way(struct relink_error *err)
{
	return relink_option_set(guest_way, right, err);
}
