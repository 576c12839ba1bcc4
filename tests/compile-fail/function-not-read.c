// SPDX-License-Identifier: MIT
// expect: relink_hash_reads_idle
#include "case.h"

MISUSE(RELINK_FUNCTION(hash, (int x), (x), "a function", (RELINK_READS_KEY(trace, a)), RELINK_FOR(RELINK_IS(idle, poll))) { return x + a; },
       RELINK_FUNCTION(hash, (int x), (x), "a function", (RELINK_READS_KEY(trace, a)), RELINK_FOR(RELINK_IS_ON(trace))) { return x + a; })
