/* SPDX-License-Identifier: MIT */
#include "matrix.h"

__attribute__((visibility("hidden"), used)) unsigned app_zero;

RELINK_STATIC_KEY_FALSE(plugin_key, "a key of the plugin");
RELINK_DECLARE_CALL(int, plugin_call, (int x));

static int plugin_default(int x)
{
	return 5 * x;
}

static int plugin_flipped(int x)
{
	return 5 * x + 1;
}

RELINK_DEFINE_CALL(plugin_call, plugin_default, "a call of the plugin");
RELINK_VARIANT(plugin_call, plugin_flipped, .rank = -1);

unsigned look_plugin(void)
{
	return look_header() | (relink_unlikely(plugin_key) ? 64u : 0u) | (plugin_call(4) == 20 ? 0u : 128u);
}
