// SPDX-License-Identifier: MIT
// only: native
// expect: RELINK_OPERAND_in4_
#include "case.h"
#include <relink/sequence.h>

RELINK_DECLARE_SEQUENCE(sequence);
RELINK_TEMPLATE_1(sequence, one, MISUSE(in4, in1), "nop");
