// SPDX-License-Identifier: MIT
// expect: key
#include "case.h"

MISUSE(RELINK_FUNCTION(hash, (int x), (x), "a function", (RELINK_READS_KEY(idle, a)), RELINK_FOR(RELINK_IS_ON(idle))) { return x + a; },
       RELINK_FUNCTION(hash, (int x), (x), "a function", (RELINK_READS_OPTION(idle, a)), RELINK_FOR(RELINK_IS(idle, poll))) { return x + a; })
