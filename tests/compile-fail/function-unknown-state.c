// SPDX-License-Identifier: MIT
// expect: relink_state_idle_spin
#include "case.h"

MISUSE(RELINK_FUNCTION(hash, (int x), (x), "a function", (RELINK_READS_OPTION(idle, a)), RELINK_FOR(RELINK_IS(idle, spin))) { return x + a; },
       RELINK_FUNCTION(hash, (int x), (x), "a function", (RELINK_READS_OPTION(idle, a)), RELINK_FOR(RELINK_IS(idle, poll))) { return x + a; })
