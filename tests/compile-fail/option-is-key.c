// SPDX-License-Identifier: MIT
// expect: relink_state_trace_on
#include "case.h"

int f(void) { if (MISUSE(relink_option_is(trace, on), relink_option_is(idle, poll))) return 1; return 0; }
