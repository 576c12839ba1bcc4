// SPDX-License-Identifier: MIT
// expect: relink: a choice needs a documentation string
#include "case.h"

MISUSE(RELINK_KEY_FALSE(trace), RELINK_KEY_FALSE(trace, "print every file"));
