/* test: LOCKS FLAGS -fno-pie LINK -no-pie NOT address thread */
/* SPDX-License-Identifier: MIT */
/* locks_nopie.c - the same entry points in a program that is not position-independent, and takes their addresses. */
#include "locks/entry_points.h"

int main(void)
{
	int (*volatile create)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *) = pthread_create;

	prepare();
	locks_need_sites();
	CHECKF(all_unlocked(), "%s", locks_say());
	CHECK((void *)(uintptr_t)create == dlsym(RTLD_DEFAULT, "pthread_create"));
	for (size_t i = 0; i < COUNT(entry_points); i++)
		works_here(&entry_points[i], 1000, 0, NULL);
	return check_done();
}
