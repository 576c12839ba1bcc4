/* SPDX-License-Identifier: MIT */
/* modules.h - static calls of a program, of a shared object that it is linked with, and a plugin that calls both. */
#ifndef TEST_CALLS_MODULES_H
#define TEST_CALLS_MODULES_H

#include <relink/relink.h>

struct triple { long a, b, c; };

/* of the shared object */
RELINK_DECLARE_CALL(long, home_add, (long n));
RELINK_DECLARE_CALL(struct triple, home_struct, (struct triple t, double x));
RELINK_DECLARE_CALL(void, home_void, (int *n));
RELINK_DECLARE_CALL(int, home_final, (int n));
/* of the program */
RELINK_DECLARE_CALL(long, main_add, (long n));
RELINK_DECLARE_CALL(void, main_void, (int *n));

/* What a module's code gets from each of the calls, added up: who answers is seen in the digits. */
struct answers {
	long home_add, home_tail, home_struct, home_void, home_final, main_add, main_tail, main_void;
};

#define MODULE_CALLS(module) \
	__attribute__((noinline)) static long home_tail(long n) { return home_add(n + 1); } \
	__attribute__((noinline)) static long main_tail(long n) { return main_add(n + 1); } \
	struct answers module##_answers(void); \
	struct answers module##_answers(void) \
	{ \
		struct triple t = { 1, 2, 3 }; \
		int home = 0, own = 0; \
		home_void(&home); \
		main_void(&own); \
		t = home_struct(t, 0.5); \
		return (struct answers){ home_add(1), home_tail(1), t.c, home, home_final(1), main_add(1), main_tail(1), own }; \
	}

struct answers home_answers(void);

#endif
