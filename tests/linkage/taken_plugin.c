/* SPDX-License-Identifier: MIT */
/* taken_plugin.c - 160 functions that are called and whose address is taken, in a library that comes and goes. */
#include "subject.h"
#include "taken.h"

#define DEFINE(i)                         \
	KEEP int p##i(int n)              \
	{                                 \
		__asm__ volatile("");     \
		return n + 1;             \
	}
ROWS(DEFINE)

#define CALL(i)                           \
	for (int k = 0; k < 100; k++)     \
		sum += p##i(n);
KEEP int call_all(int n)
{
	int sum = 0;

	ROWS(CALL)
	return sum;
}

#define STORE(i) all[i - 100] = p##i;
KEEP void addresses(function **all)
{
	ROWS(STORE)
}
