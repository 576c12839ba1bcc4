// test: FLAGS -fPIC
/* SPDX-License-Identifier: MIT */
/* Has choices of the same names as choices_names.c. */
#include <relink/relink.h>

RELINK_STATIC_KEY_FALSE(twin, "a key of the plugin");
RELINK_STATIC_KEY_TRUE(only_here, "the plugin alone has it");

int twin_state(void);
int twin_state(void)
{
	int state = 0;

	if (relink_unlikely(twin))
		state += 1;
	if (relink_likely(only_here))
		state += 2;
	return state;
}
