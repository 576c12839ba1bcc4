// SPDX-License-Identifier: MIT
// expect: relink: a constant is an integer or a pointer
#include "case.h"

struct pair { int a, b; };
RELINK_DECLARE_CALL(struct pair, size, (void));
MISUSE(RELINK_VARIANT_CONST(size, one, 1), RELINK_VARIANT_CONST(hash, one, 1));
