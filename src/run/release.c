/* SPDX-License-Identifier: MIT */
/* release.c - the reservation that kept libraries near the program has done its work. */
#include <sys/mman.h>

#include "run/run.h"

void rl_run_release(const struct rl_run_options *options)
{
	munmap((void *)(uintptr_t)options->reserved_start, options->reserved_stop - options->reserved_start);
}
