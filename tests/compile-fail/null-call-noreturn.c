// SPDX-License-Identifier: MIT
// expect: relink: NULL needs a static call that returns void, and does return
#include "case.h"

MISUSE(RELINK_DEFINE_CALL_NULL(die, "dies"), RELINK_DEFINE_CALL_NULL(tick, "a tick"));
