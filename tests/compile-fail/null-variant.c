// SPDX-License-Identifier: MIT
// expect: relink: a variant must be a function
#include "case.h"

MISUSE(RELINK_VARIANT(tick, NULL, .rank = 1), RELINK_VARIANT(tick, tick_good, .rank = 1));
