// SPDX-License-Identifier: MIT
// expect: relink: this is not a static key
#include "case.h"

int f(void) { return relink_key_set(MISUSE(idle, trace), 1, NULL); }
