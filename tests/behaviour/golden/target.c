/* SPDX-License-Identifier: MIT */
/* What golden.c calls, in another file so that compilers know nothing of it. */
#include "target.h"

int golden_int(int n)
{
	return 3 * n + 1;
}

double golden_double(double x, struct golden_pair p)
{
	return x + (double)p.a - (double)p.b;
}

void golden_void(int *n)
{
	++*n;
}

int golden_slow(int n)
{
	return -n;
}
