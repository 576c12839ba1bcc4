// SPDX-License-Identifier: MIT
// expect: constant
#include "case.h"

extern int number;
MISUSE(RELINK_VARIANT_CONST(hash, one, number), RELINK_VARIANT_CONST(hash, one, 1));
