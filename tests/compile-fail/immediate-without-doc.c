// SPDX-License-Identifier: MIT
// expect: relink: a choice needs a documentation string
#include "case.h"

MISUSE(RELINK_IMMEDIATE(int, batch, 1),
       RELINK_IMMEDIATE(int, batch, 1, "a batch"));
