// test: NO_RELOCS FLAGS -fPIC -O2 -fno-builtin -fno-unroll-loops LINK -Wl,-z,lazy
/* SPDX-License-Identifier: MIT */
/* linkage_guest.c - calls of others, through stubs, from code that is near them. */
#include <stdlib.h>
#include <unistd.h>

int linkage_guest_pid(int n)
{
	int sum = 0;

	for (int i = 0; i < n; i++)
		sum += getppid() > 0;
	return sum;
}

int linkage_guest_absolute(int n)
{
	int sum = 0;

	for (int i = 0; i < n; i++)
		sum += labs(-1L - i) > 0; /* -fno-builtin */
	return sum;
}
