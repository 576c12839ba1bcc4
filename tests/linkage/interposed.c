/* SPDX-License-Identifier: MIT */
/* interposed.c - somebody preloads functions of his own, and counts. COUNTER: he. */
#ifdef COUNTER
#include <errno.h>
#include <stdio.h>
#include <string.h>

static unsigned long callees, absolutes;

int callee(int n) { callees++; return n + 1; }
int abs(int n) { absolutes++; return n < 0 ? -n : n; }

/* In the program, not in what starts it. */
static __attribute__((destructor)) void tell(void)
{
	if (!strncmp(program_invocation_short_name, "interposed", 10))
		fprintf(stderr, "callee %lu, abs %lu\n", callees, absolutes);
}
#else
#include "subject.h"

int trap_main(int argc, char **argv)
{
	printf("%d\n", work(20) + work(1000) + more_work(300));
	return 0;
}
#endif
