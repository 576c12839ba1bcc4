// SPDX-License-Identifier: MIT
// expect: relink: this is not a static key
#include "case.h"

int f(void) { if (relink_unlikely(MISUSE(idle, trace))) return 1; return 0; }
