// SPDX-License-Identifier: MIT
// expect: relink: this function does not have the type of the pointer
#include "case.h"

RELINK_POINTER int (*handlers[2])(int x);
void f(struct relink_commit *c) { relink_set_pointer(c, handlers[1], MISUSE(tick_good, hash_good)); }
