// SPDX-License-Identifier: MIT
// expect: relink: NULL needs a static call that returns void, and does return
#include "case.h"

int f(void) { return MISUSE(relink_call_set(die, NULL, NULL), relink_call_set(tick, NULL, NULL)); }
