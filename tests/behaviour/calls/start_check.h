/* SPDX-License-Identifier: MIT */
/* start_check.h - what early code has seen. */
#include "../check.h"
#include "start.h"

static void check_seen(void)
{
	CHECK(start_count > 15 && start_count < 32);
	for (int i = 0; i < start_count; i++)
		CHECKF(start_seen[i].got == start_seen[i].want, "%s: got %d, want %d", start_seen[i].where, start_seen[i].got,
		       start_seen[i].want);
	CHECKF(start_own_resolved() == 1, "the ifunc resolver saw other targets");
	CHECK(start_best(7) == 207 && start_moved(7) == 1007);
}
