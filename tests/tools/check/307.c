// expect: 307 arm 1 can't be moved here
#include "check.h"
int f(void);
int f(void)
{
	int x;

	RELINK_ALTERNATIVE("movl $1, %[x]", ".byte 0x06", RELINK_WHEN_HAS(sse3), RELINK_OUT([x] "=r"(x)), RELINK_IN(), RELINK_CLOBBERS());
	return x;
}
