// test: FLAGS -fPIC
/* SPDX-License-Identifier: MIT */
/* Function variants of a plugin that read the program's choices and one of its own. */
#include "behaviour/functions/functions.h"

RELINK_KEY_FALSE(guest_key, "of the plugin");

RELINK_DECLARE_CALL(long, guest_work, (int x));
RELINK_FUNCTION(guest_work, (int x), (x), "reads the program's option",
		(RELINK_READS_KEY(trace, tracing), RELINK_READS_OPTION(mode, how), RELINK_READS_NUMBER(depth, levels),
		 RELINK_READS_KEY(guest_key, own)),
		RELINK_FOR(RELINK_IS(mode, fast), RELINK_IS_NUMBER(depth, 9)),
		RELINK_FOR(RELINK_IS_ON(trace), RELINK_IS_ON(guest_key)))
{
	return FUNCTIONS_RESULT(tracing, how, levels, x) + (own ? 50 : 0);
}

/* For the program's function: a variant that only this module has. */
static const struct relink_when when_odd[] = { { RELINK_WHEN_KIND_OPTION, 0, &mode.option, RELINK_STATE(mode, odd) }, { 0, 0, 0, 0 } };
static long work_guest(int x)
{
	return -FUNCTIONS_RESULT(0, 2, 0, x);
}
RELINK_VARIANT(work, work_guest, .rank = 1000, .when = when_odd);

long guest_result(int x);
long guest_result(int x)
{
	return guest_work(x);
}

long guest_calls_host(int x);
long guest_calls_host(int x)
{
	return work(x);
}

int guest_set_key(int on);
int guest_set_key(int on)
{
	return relink_key_set(guest_key, on, 0);
}
