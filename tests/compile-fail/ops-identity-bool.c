// SPDX-License-Identifier: MIT
// expect: relink: a member that returns its first argument needs an argument and a result of one size, integers or pointers
#include "case.h"

#include <stdbool.h>

#define ONE_OPS(op) op(MISUSE(bool, bool), same, MISUSE((unsigned char x), (bool x)))
RELINK_DECLARE_OPS(one, ONE_OPS);
extern const struct one_ops the_one;
const struct one_ops the_one = { RELINK_OP_IDENTITY(one, same) };
