// SPDX-License-Identifier: MIT
// expect: relink: an operand of a sequence is an integer or a pointer
#include "case.h"
#include <relink/sequence.h>

RELINK_DECLARE_SEQUENCE(sequence);
static double real;
static long number;
void f(void);
void f(void)
{
	(void)real, (void)number;
	MISUSE(relink_wrap(sequence, "push %q[in1]; popf", RELINK_NO_OUTPUT, RELINK_IREG1(real), RELINK_CLOBBERS("cc")),
	       relink_wrap(sequence, "push %q[in1]; popf", RELINK_NO_OUTPUT, RELINK_IREG1(number), RELINK_CLOBBERS("cc")));
}
