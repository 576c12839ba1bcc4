/* SPDX-License-Identifier: MIT */
/* versions.c - one name, two versions of it; OLD or NEW: whose user this is. Without: the library that has both. */
#include "subject.h"

#if defined OLD || defined NEW
int versioned(int n);
#ifdef OLD
__asm__(".symver versioned, versioned@V1");
#define USER use_old
#else
__asm__(".symver versioned, versioned@V2");
#define USER use_new
#endif
KEEP int USER(int times)
{
	int sum = 0;

	for (int i = 0; i < times; i++)
		sum += versioned(i);
	return sum;
}
#elif defined MAIN
int use_old(int times);
int use_new(int times);

int trap_main(int argc, char **argv)
{
	int sum = 0;

	for (int i = 0; i < 50; i++)
		sum += use_old(i) * 3 + use_new(i);
	printf("%d %d %d\n", use_old(100), use_new(100), sum);
	return 0;
}
#else
KEEP int versioned_old(int n) { __asm__ volatile(""); return n + 1; }
KEEP int versioned_new(int n) { __asm__ volatile(""); return n + 1000; }
__asm__(".symver versioned_old, versioned@V1");
__asm__(".symver versioned_new, versioned@@V2");
#endif
