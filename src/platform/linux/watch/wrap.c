/* SPDX-License-Identifier: MIT */
/*
 * wrap.c - what --wrap makes of references in a static program; see watch.h. Without the linker options for what is
 * defined here the program does not link; for what wrap_lookup.c and wrap_load.c define, they are looked for when the
 * program starts.
 */
#include <dlfcn.h>

#include "watch.h"

/* The linker is asked for it (-u), so that this object is part of the program. */
extern const int relink_watches_threads;
const int relink_watches_threads = 1;

struct relink_watch rl_watch = { .size = sizeof(rl_watch) };

#define DEFINE(name, result, parameters, arguments, permitted, otherwise) \
	extern result __real_##name parameters; \
	extern result __wrap_##name parameters; \
	result __wrap_##name parameters \
	{ \
		return permitted ? __real_##name arguments : otherwise; \
	}
WATCHED(DEFINE)

extern int __real_clone(int (*fn)(void *), void *stack, int flags, void *arg, ...);
extern int __wrap_clone(int (*fn)(void *), void *stack, int flags, void *arg, ...);
WATCHED_CLONE(__wrap_clone, __real_clone)

/* A weak reference links nothing. To a wrapped name it is one to the wrapper; where it is nothing, nobody calls it. */
#define CHECK(name) \
	extern char plain_##name __asm__(#name) __attribute__((weak)); \
	extern char wrapped_##name __asm__("__wrap_" #name) __attribute__((weak));
#define IS_WRAPPED(name) (&plain_##name == &wrapped_##name)
CHECK(getaddrinfo_a)
CHECK(dlopen)
CHECK(dlmopen)

static void __attribute__((constructor(101))) start(void)
{
	if (!IS_WRAPPED(getaddrinfo_a) || !IS_WRAPPED(dlopen) || !IS_WRAPPED(dlmopen))
		rl_watch.why = "the program calls getaddrinfo_a or dlopen and was linked without --wrap for them";
	relink_threads_watch(&rl_watch);
}
