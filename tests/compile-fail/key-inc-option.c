// SPDX-License-Identifier: MIT
// expect: relink: this is not a static key
#include "case.h"

int f(void) { return relink_key_inc(MISUSE(idle, trace), NULL); }
