// SPDX-License-Identifier: MIT
// expect: relink: a default must be a function; RELINK_DEFINE_CALL_NULL makes a call that does nothing
#include "case.h"

MISUSE(RELINK_DEFINE_CALL(tick, NULL, "a tick"), RELINK_DEFINE_CALL(tick, tick_good, "a tick"));
