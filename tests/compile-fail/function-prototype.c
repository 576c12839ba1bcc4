// SPDX-License-Identifier: MIT
// expect: relink: this function does not have the prototype of the static call
#include "case.h"

MISUSE(RELINK_FUNCTION(hash, (long x), (x), "a function", (RELINK_READS_KEY(trace, a)), RELINK_FOR(RELINK_IS_ON(trace))) { return (int)x + a; },
       RELINK_FUNCTION(hash, (int x), (x), "a function", (RELINK_READS_KEY(trace, a)), RELINK_FOR(RELINK_IS_ON(trace))) { return x + a; })
