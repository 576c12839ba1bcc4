// SPDX-License-Identifier: MIT
// expect: relink: a constant is an integer or a pointer
#include "case.h"

RELINK_DECLARE_CALL(double, gain, (void));
MISUSE(RELINK_VARIANT_CONST(gain, one, 1), RELINK_VARIANT_CONST(hash, one, 1));
