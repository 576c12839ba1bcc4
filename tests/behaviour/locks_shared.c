/* test: SHARED LOCKS NOT address thread */
/* SPDX-License-Identifier: MIT */
/* locks_shared.c - the same entry points in a program that uses librelink.so. */
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
