/* SPDX-License-Identifier: MIT */
/* young.c - two workloads of 80 calls each, quick or slow, for as long as asked for: what is learned of them, and when it is bound. */
#include <time.h>
#include <unistd.h>

#include "subject.h"
#include "taken.h"

#define DEFINE(i)                         \
	KEEP int y##i(int n)              \
	{                                 \
		__asm__ volatile("");     \
		return n + i;             \
	}
ROWS(DEFINE)

#define FIRST(m) TEN(m, 10) TEN(m, 11) TEN(m, 12) TEN(m, 13) TEN(m, 14) TEN(m, 15) TEN(m, 16) TEN(m, 17)
#define SECOND(m) TEN(m, 18) TEN(m, 19) TEN(m, 20) TEN(m, 21) TEN(m, 22) TEN(m, 23) TEN(m, 24) TEN(m, 25)

static int wrong;

#define CALL(i)                           \
	for (int k = 0; k < times; k++)   \
		wrong += y##i(k) != k + i;

static __attribute__((noinline)) void first(int times)
{
	FIRST(CALL)
}

static __attribute__((noinline)) void second(int times)
{
	SECOND(CALL)
}

static struct timespec began;

static long passed(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (now.tv_sec - began.tv_sec) * 1000 + (now.tv_nsec - began.tv_nsec) / 1000000;
}

/* Where it counts, this is later than when relink began. */
__attribute__((constructor)) static void begin(void)
{
	clock_gettime(CLOCK_MONOTONIC, &began);
}

/* young MILLISECONDS first|second|none quick|slow: 40 calls at once of each, again and again; or one in two milliseconds. */
KEEP int trap_main(int argc, char **argv)
{
	const char *what = argv[2];
	int slow = argc > 3 && !strcmp(argv[3], "slow");

	do {
		if (!strcmp(what, "first"))
			first(slow ? 1 : 40);
		else if (!strcmp(what, "second"))
			second(slow ? 1 : 40);
		if (slow)
			usleep(2000);
	} while (strcmp(what, "none") && passed() < atol(argv[1]));
	printf("%d wrong, %ld ms\n", wrong, passed());
	return wrong != 0;
}
