// test: FLAGS -fPIC
/* SPDX-License-Identifier: MIT */
/* Choices that a program speaks of before it loads them. */
#include <relink/relink.h>

RELINK_KEY_FALSE(late_key, "a key");
RELINK_KEY_FALSE(late_final, "a final key", RELINK_FINAL);
RELINK_OPTION(late_option, "an option", start, file, environment, command_line);
RELINK_DECLARE_CALL(int, late_call, (void));
static int late_call_start(void) { return 0; }
static int late_call_other(void) { return 1; }
static int late_call_best(void) { return 2; }
RELINK_DEFINE_CALL(late_call, late_call_start, "a call", RELINK_FINAL);
RELINK_VARIANT(late_call, late_call_other, .rank = -1);
RELINK_VARIANT(late_call, late_call_best, .rank = 1);

int late_state(void);
int late_state(void)
{
	int state = late_call();

	if (relink_unlikely(late_key))
		state += 10;
	if (relink_unlikely(late_final))
		state += 100;
	return state + 1000 * relink_option_state(late_option);
}
