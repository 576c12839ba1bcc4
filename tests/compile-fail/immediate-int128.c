// SPDX-License-Identifier: MIT
// expect: relink: an immediate is an integer of up to 8 bytes
#include "case.h"

__extension__ typedef __int128 int16;

MISUSE(RELINK_IMMEDIATE(int16, wide, 1, "wide"),
       RELINK_IMMEDIATE(long, wide, 1, "wide"));
