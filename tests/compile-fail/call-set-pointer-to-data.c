// SPDX-License-Identifier: MIT
// expect: relink: this function does not have the prototype of the static call
#include "case.h"

static int number;
int f(void) { (void)number; return relink_call_set(tick, MISUSE(&number, tick_good), NULL); }
