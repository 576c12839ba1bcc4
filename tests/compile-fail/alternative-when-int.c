// SPDX-License-Identifier: MIT
// expect: relink: this is not a static key
#include "case.h"

extern int number;
void f(void);
void f(void)
{
	MISUSE(RELINK_ALTERNATIVE("nop", "lfence", RELINK_WHEN_ON(number), RELINK_OUT(), RELINK_IN(), RELINK_CLOBBERS()),
	       RELINK_ALTERNATIVE("nop", "lfence", RELINK_WHEN_ON(trace), RELINK_OUT(), RELINK_IN(), RELINK_CLOBBERS()));
}
