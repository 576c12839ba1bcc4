// test: FLAGS -fPIC
/* SPDX-License-Identifier: MIT */
/* A plugin without static calls of its own. It brings a variant of one of the shared object's. */
#include "behaviour/calls/modules.h"

static void void_plugin(int *n) { *n += 70; }
RELINK_VARIANT(home_void, void_plugin, .rank = 3);

static long add_plugin(long n) { return n + 70; }
RELINK_VARIANT(main_add, add_plugin, .rank = -1);

MODULE_CALLS(user)
