// SPDX-License-Identifier: MIT
// expect: relink: this is not a static key
#include "case.h"

void f(void);
void f(void)
{
	MISUSE(RELINK_ALTERNATIVE("nop", "lfence", RELINK_WHEN_ON(idle), RELINK_OUT(), RELINK_IN(), RELINK_CLOBBERS()),
	       RELINK_ALTERNATIVE("nop", "lfence", RELINK_WHEN_ON(idle.rest[0]), RELINK_OUT(), RELINK_IN(), RELINK_CLOBBERS()));
}
