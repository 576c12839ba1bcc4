// test: FLAGS -fPIC
/* SPDX-License-Identifier: MIT */
/* A key without name and branch. */
#include <relink/relink.h>

static struct {
	int before;
	struct relink_key_false key;
} holder = { 0, RELINK_KEY_INIT_FALSE };

int nameless_set(int on);
int nameless_get(void);

int nameless_set(int on)
{
	return relink_key_set(holder.key, on, 0);
}

int nameless_get(void)
{
	return relink_key_enabled(holder.key);
}
