// SPDX-License-Identifier: MIT
// expect: relink_type_batch
#include "case.h"

RELINK_DECLARE_IMMEDIATE(int, batch, 64);
MISUSE(RELINK_IMMEDIATE(long, batch, 64, "a batch"),
       RELINK_IMMEDIATE(int, batch, 64, "a batch"));
