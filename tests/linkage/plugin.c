/* SPDX-License-Identifier: MIT */
/*
 * plugin.c - what loading.c opens. VALUE: what common() returns. FIRST: a function that is called once, after everything else.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KEEP __attribute__((noinline, noclone, visibility("default")))

#ifdef VALUE
KEEP int common(int n)
{
	__asm__ volatile("" : "+r"(n));
	return VALUE;
}
#else
int common(int n);
#endif

KEEP int plugin(int times)
{
	int sum = 0;

	for (int i = 0; i < times; i++)
		sum += common(i) + (int)strlen("") + abs(0);
#ifdef FIRST
	sum += FIRST;
#endif
	return sum;
}
