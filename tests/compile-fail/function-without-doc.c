// SPDX-License-Identifier: MIT
// expect: relink: a choice needs a documentation string
#include "case.h"

MISUSE(RELINK_FUNCTION(hash, (int x), (x), 0u, (RELINK_READS_KEY(trace, a)), RELINK_FOR(RELINK_IS_ON(trace))) { return x + a; },
       RELINK_FUNCTION(hash, (int x), (x), "a function", (RELINK_READS_KEY(trace, a)), RELINK_FOR(RELINK_IS_ON(trace))) { return x + a; })
