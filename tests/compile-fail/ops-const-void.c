// SPDX-License-Identifier: MIT
// expect: relink: a constant needs a static call that returns a value
#include "case.h"

MISUSE(RELINK_OP_CONST(fs, sync, no_sync, 1), RELINK_OP_CONST(fs, size, no_size, 1));
