// SPDX-License-Identifier: MIT
// expect: relink_call_trace
#include "case.h"

int f(void) { return MISUSE(relink_call_set(trace, hash_good, NULL), relink_call_set(hash, hash_good, NULL)); }
