// SPDX-License-Identifier: MIT
// expect: relink: an immediate is an integer of up to 8 bytes
#include "case.h"

MISUSE(RELINK_IMMEDIATE(double, ratio, 1, "a ratio"),
       RELINK_IMMEDIATE(int, ratio, 1, "a ratio"));
