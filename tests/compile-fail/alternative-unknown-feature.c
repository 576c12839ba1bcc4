// SPDX-License-Identifier: MIT
// expect: RELINK_CPU_BIT_avx9000
#include "case.h"

void f(void);
void f(void)
{
	MISUSE(RELINK_ALTERNATIVE("nop", "lfence", RELINK_WHEN_HAS(avx9000), RELINK_OUT(), RELINK_IN(), RELINK_CLOBBERS()),
	       RELINK_ALTERNATIVE("nop", "lfence", RELINK_WHEN_HAS(avx2), RELINK_OUT(), RELINK_IN(), RELINK_CLOBBERS()));
}
