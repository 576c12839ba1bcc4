// SPDX-License-Identifier: MIT
// expect: trace
// expect: relink_key_true
#include "case.h"

MISUSE(RELINK_KEY_TRUE(trace, "print every file"), RELINK_KEY_FALSE(trace, "print every file"));
