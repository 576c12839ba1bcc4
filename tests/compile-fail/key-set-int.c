// SPDX-License-Identifier: MIT
// expect: relink: this is not a static key
#include "case.h"

static int flag;
int f(void) { (void)flag; return relink_key_set(MISUSE(flag, trace), 1, NULL); }
