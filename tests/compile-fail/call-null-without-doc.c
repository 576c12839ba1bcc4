// SPDX-License-Identifier: MIT
// expect: relink: a choice needs a documentation string
#include "case.h"

MISUSE(RELINK_DEFINE_CALL_NULL(tick), RELINK_DEFINE_CALL_NULL(tick, "a tick"));
