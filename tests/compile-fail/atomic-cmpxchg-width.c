// SPDX-License-Identifier: MIT
// expect: relink: the expected value is of another width
#include "case.h"
#include <relink/atomic.h>

static long number;
int f(void);
int f(void)
{
	MISUSE(int, long) old = 1;

	return relink_atomic_try_cmpxchg(&number, &old, 2);
}
