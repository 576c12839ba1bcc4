/* SPDX-License-Identifier: MIT */
/* start_check.h - what early code has seen. */
#include "../check.h"
#include "start.h"

/* However the program was linked, its calls are found. */
static void check_found(void)
{
	struct relink_status s = { .size = sizeof(s) };
	uint64_t calls = 0;

	CHECK(relink_get_status(&s) == 0);
	for (int reason = 0; reason < RELINK_REASONS; reason++)
		calls += s.sites[RELINK_SITE_CALL][reason];
	CHECKF(calls > 5 || !strcmp(s.arch, "generic"), "%llu calls found; %s", (unsigned long long)calls, s.notes);
}

static void check_seen(void)
{
	CHECK(start_count > 15 && start_count < 32);
	for (int i = 0; i < start_count; i++)
		CHECKF(start_seen[i].got == start_seen[i].want, "%s: got %d, want %d", start_seen[i].where, start_seen[i].got,
		       start_seen[i].want);
	CHECKF(start_own_resolved() == 1, "the ifunc resolver saw other targets");
	check_found();
	CHECK(start_best(7) == 207 && start_moved(7) == 1007);
}
