// SPDX-License-Identifier: MIT
// expect: rror
// only: native
#include "case.h"

/* gcc's assembler: value of 256 too large for field of 1 byte; clang's shows the line that says so. */
RELINK_KEY_FALSE(fast, "an arm");
void place(void);
void place(void)
{
	MISUSE(RELINK_ALTERNATIVE("nop", ".skip 256, 0x90", RELINK_WHEN_ON(fast), RELINK_OUT(), RELINK_IN(), RELINK_CLOBBERS()),
	       RELINK_ALTERNATIVE("nop", ".skip 255, 0x90", RELINK_WHEN_ON(fast), RELINK_OUT(), RELINK_IN(), RELINK_CLOBBERS()));
}
