// SPDX-License-Identifier: MIT
// expect: nosuch
#include "case.h"

int f(void) { if (MISUSE(relink_option_is(idle, nosuch), relink_option_is(idle, poll))) return 1; return 0; }
