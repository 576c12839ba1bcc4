// test: FLAGS -fPIE LINK -static-pie NOT address undefined thread
/* SPDX-License-Identifier: MIT */
/* Static calls in early code of a program linked with -static-pie. */
#define START_DEFINE
#define START_PROGRAM
#include "calls/start_check.h"

int main(void)
{
	check_seen();
	return check_done();
}
