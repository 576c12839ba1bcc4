// SPDX-License-Identifier: MIT
// expect: relink_default_low_batch
#include "case.h"

RELINK_DECLARE_IMMEDIATE(int, batch, 64);
MISUSE(RELINK_IMMEDIATE(int, batch, 65, "a batch"),
       RELINK_IMMEDIATE(int, batch, 64, "a batch"));
