/* SPDX-License-Identifier: MIT */
/* ifuncs.c - functions that are chosen by the loader: exported, and the library's own, which have slots without names. */
#include "subject.h"

static int one(int n) { __asm__ volatile(""); return n + 1; }
static int two(int n) { __asm__ volatile(""); return n + 2; }
static int (*choose_one(void))(int) { return one; }
static int (*choose_two(void))(int) { return two; }

int exported(int n) __attribute__((ifunc("choose_one"), visibility("default")));
static int internal(int n) __attribute__((ifunc("choose_two")));

static int same = -1;

KEEP int loop(int times)
{
	char a[64], b[64];
	int sum = 0;

	for (int i = 0; i < times; i++) {
		int (*volatile pointer)(int) = exported;

		memset(a, i, sizeof(a));
		memcpy(b, a, (size_t)(i % 64));
		sum += exported(i) + internal(i) + pointer(i) + (memcmp(a, b, (size_t)(i % 64)) == 0) + (int)strlen("seven");
	}
	return sum;
}

int trap_main(int argc, char **argv)
{
	printf("%d %d\n", loop(20), loop(1000));
	return 0;
}
