/* SPDX-License-Identifier: MIT */
/* start.c - stamps around the constructors. Those of the preinit array run before all others of a program. */
#include "start.h"
#include "bench.h"

#include <inttypes.h>
#include <relink/relink.h>
#include <stdio.h>
#include <string.h>

static uint64_t before_constructors;

static void stamp(void)
{
	before_constructors = bench_now();
}

__attribute__((section(".preinit_array"), used)) static void (*const preinit)(void) = stamp;

int bench_start(int argc, char **argv)
{
	uint64_t in_main = bench_now();
	struct relink_status status = { .size = sizeof(status) };

	if (argc < 2 || strcmp(argv[1], "start"))
		return 0;
	if (argc < 3) /* that looks at every site */
		relink_get_status(&status);
	printf("%" PRIu64 " %" PRIu64 " %" PRIu64 " %s\n", before_constructors, in_main, status.memory, argc < 3 ? status.mode : "");
	return 1;
}
