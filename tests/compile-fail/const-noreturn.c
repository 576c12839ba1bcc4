// SPDX-License-Identifier: MIT
// expect: relink: a constant needs a static call that returns a value
#include "case.h"

MISUSE(RELINK_VARIANT_CONST(die, one, 1), RELINK_VARIANT_CONST(hash, one, 1));
