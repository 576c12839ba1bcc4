// test: FLAGS -fPIC
/* SPDX-License-Identifier: MIT */
/* A shared object with static calls, which also calls those of the program. */
#include "behaviour/calls/modules.h"

static long add_default(long n) { return n + 10; }
static long add_other(long n) { return n + 20; }
static struct triple struct_default(struct triple t, double x) { t.c += (long)(x * 2) + 10; return t; }
static struct triple struct_other(struct triple t, double x) { t.c += (long)(x * 2) + 20; return t; }
static void void_default(int *n) { *n += 10; }
static int final_default(int n) { return n + 10; }
static int final_best(int n) { return n + 20; }
RELINK_DEFINE_CALL(home_add, add_default, "of a shared object");
RELINK_VARIANT(home_add, add_other);
RELINK_DEFINE_CALL(home_struct, struct_default, "of a shared object, with structs in memory");
RELINK_VARIANT(home_struct, struct_other);
RELINK_DEFINE_CALL(home_void, void_default, "of a shared object, without a result");
RELINK_DEFINE_CALL(home_final, final_default, "of a shared object, final", RELINK_FINAL);
RELINK_VARIANT(home_final, final_best, .rank = 1);

MODULE_CALLS(home)
