/* SPDX-License-Identifier: MIT */
/* The same program as in calls_no_relocs.c with --emit-relocs; calls_stripped.sh takes them away again. */
#include "calls/plain.h"

int main(void)
{
	return plain_main("found");
}
