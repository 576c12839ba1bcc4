// SPDX-License-Identifier: MIT
// expect: relink_result_fresh
#include "case.h"

MISUSE(RELINK_FUNCTION(fresh, (int x), (x), "a function", (RELINK_READS_KEY(trace, a)), RELINK_FOR(RELINK_IS_ON(trace))) { return x + a; },
       RELINK_FUNCTION(hash, (int x), (x), "a function", (RELINK_READS_KEY(trace, a)), RELINK_FOR(RELINK_IS_ON(trace))) { return x + a; })
