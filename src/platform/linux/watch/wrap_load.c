/* SPDX-License-Identifier: MIT */
/*
 * wrap_load.c - dlopen in a static program: what it loads brings a libc of its own, whose threads nobody would
 * notice. See watch.h.
 */
#include <dlfcn.h>

#include "watch.h"

/* Libc refuses a mode of nothing, in its own words. */
static int mode_of(int mode)
{
	rl_watch.why = "a module was loaded into a static program, whose threads nobody would notice";
	return may_begin() ? mode : 0;
}

extern void *__real_dlopen(const char *file, int mode);
extern void *__wrap_dlopen(const char *file, int mode);
void *__wrap_dlopen(const char *file, int mode)
{
	return __real_dlopen(file, mode_of(mode));
}

#ifdef __GLIBC__
extern void *__real_dlmopen(Lmid_t space, const char *file, int mode);
extern void *__wrap_dlmopen(Lmid_t space, const char *file, int mode);
void *__wrap_dlmopen(Lmid_t space, const char *file, int mode)
{
	return __real_dlmopen(space, file, mode_of(mode));
}
#endif
