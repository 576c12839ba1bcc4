// test: NO_RELOCS VARIANTS "-O0" "-O2"
/* SPDX-License-Identifier: MIT */
/* Without --emit-relocs nobody knows where calls are: all of them work, through trampolines, and the status says why. */
#include "calls/plain.h"

int main(void)
{
	return plain_main("--emit-relocs");
}
