// SPDX-License-Identifier: MIT
// expect: relink: this is not a static key
#include "case.h"

static struct relink_key_false *const pointer = &trace;
int f(void) { (void)pointer; if (relink_unlikely(MISUSE(pointer, trace))) return 1; return 0; }
