// SPDX-License-Identifier: MIT
// expect: relink: a constant must fit a register
#include "case.h"

__extension__ typedef __int128 wide;
RELINK_DECLARE_CALL(wide, product, (void));
MISUSE(RELINK_VARIANT_CONST(product, one, 1), RELINK_VARIANT_CONST(hash, one, 1));
