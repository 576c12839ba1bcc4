/* SPDX-License-Identifier: MIT */
/* call-start.c - a program with SITES calls of one static call, to be started and no more. */
#include "start.h"

#include <relink/relink.h>

RELINK_DECLARE_CALL(void, bench_called, (void));

static void target(void)
{
}

RELINK_DEFINE_CALL(bench_called, target, "what all sites call", RELINK_FINAL);

int main(int argc, char **argv)
{
	return bench_start(argc, argv) ? 0 : 2;
}
