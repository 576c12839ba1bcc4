/* SPDX-License-Identifier: MIT */
/* subject.h - functions that are exported, so that their library's own calls of them go through stubs. Included once by each trap. */
#ifndef SUBJECT_H
#define SUBJECT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEEP __attribute__((noinline, noclone, visibility("default")))

KEEP int callee(int n)
{
	__asm__ volatile("");
	return n + 1;
}

KEEP int other(int n)
{
	__asm__ volatile("");
	return n ^ 5;
}

/* A tail jump. */
KEEP int tail(int n)
{
	__asm__ volatile("");
	return other(n + 2);
}

KEEP int third(int n)
{
	__asm__ volatile("");
	return n + 3;
}

/* Below the recorder's threshold or above it. */
KEEP int work(int times)
{
	int sum = 0;

	for (int i = 0; i < times; i++)
		sum += callee(i) + tail(i) + (int)strlen("four");
	return sum;
}

/* What only some part of a test calls. */
KEEP int more_work(int times)
{
	int sum = 0;

	for (int i = 0; i < times; i++)
		sum += third(i) + abs(atoi("7"));
	return sum;
}

static int is(int argc, char **argv, const char *mode)
{
	return argc > 1 && !strcmp(argv[1], mode);
}

#endif
