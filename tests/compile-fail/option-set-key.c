// SPDX-License-Identifier: MIT
// expect: relink_state_trace_on
#include "case.h"

int f(void) { return MISUSE(relink_option_set(trace, on, NULL), relink_option_set(idle, poll, NULL)); }
