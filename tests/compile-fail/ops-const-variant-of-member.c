// SPDX-License-Identifier: MIT
// expect: relink: a member of an operations table has no variants
#include "case.h"

MISUSE(RELINK_VARIANT_CONST(fs_size, small, 1), RELINK_VARIANT_CONST(hash, small, 1));
