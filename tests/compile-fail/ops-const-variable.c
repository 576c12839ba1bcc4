// SPDX-License-Identifier: MIT
// expect-c: constant
// expect-c++: relink: a constant must be known when compiling
#include "case.h"

extern int variable;
MISUSE(RELINK_OP_CONST(fs, size, no_size, variable), RELINK_OP_CONST(fs, size, no_size, 7));
