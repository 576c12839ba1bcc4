// SPDX-License-Identifier: MIT
// expect: relink_type_trace
#include "case.h"

RELINK_DECLARE_IMMEDIATE(int, batch, 64);
int f(void) { return MISUSE(relink_immediate(trace), relink_immediate(batch)); }
