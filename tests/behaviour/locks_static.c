/* test: LOCKS_STATIC LINK -static NOT address undefined thread */
/* SPDX-License-Identifier: MIT */
/* locks_static.c - the entry points in a static program whose linker has wrapped them. */
#define LOCKS_STATIC_PROGRAM
#include "locks/entry_points.h"

int main(void)
{
	prepare();
	locks_need_sites();
	CHECKF(all_unlocked(), "%s", locks_say());
	for (size_t i = 0; i < COUNT(entry_points); i++)
		works_here(&entry_points[i], 1000, 0, NULL);
	return check_done();
}
