// SPDX-License-Identifier: MIT
// expect: relink: this is not a static key
#include "case.h"

static int flag;
int f(void) { (void)flag; if (relink_here(MISUSE(flag, trace), "text")) return 1; return 0; }
