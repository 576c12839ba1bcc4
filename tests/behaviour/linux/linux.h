/* SPDX-License-Identifier: MIT */
/* linux.h - what the program, another file of it and a plugin share: keys and calls declared here are defined in linux_modules.c. */
#ifndef TEST_LINUX_H
#define TEST_LINUX_H

#include <stdbool.h>

#include <relink/linux.h>

DECLARE_STATIC_KEY_FALSE(shared_off);
DECLARE_STATIC_KEY_TRUE(shared_on);
extern struct static_key_false shared_array[3];

int shared_add(int n);
void shared_note(int *n);
DECLARE_STATIC_CALL(shared_call, shared_add);
DECLARE_STATIC_CALL(shared_void, shared_note);

/* One bit per place that is on, and what the calls say. */
struct seen {
	unsigned keys;
	int call, tail, hook;
};

/* Every file has one. */
#define SEE(place) \
	static __attribute__((noinline)) int place##_tail(int n) { return static_call(shared_call)(n); } \
	struct seen place##_see(void); \
	struct seen place##_see(void) \
	{ \
		struct seen s = { 0, static_call(shared_call)(1) + 0, place##_tail(1), 0 }; \
		s.keys |= static_branch_unlikely(&shared_off) ? 1 : 0; \
		s.keys |= static_branch_likely(&shared_off) ? 2 : 0; \
		s.keys |= static_branch_unlikely(&shared_on) ? 4 : 0; \
		s.keys |= static_branch_likely(&shared_on) ? 8 : 0; \
		s.keys |= static_branch_unlikely(&shared_array[2]) ? 16 : 0; \
		static_call_cond(shared_void)(&s.hook); \
		return s; \
	}

#endif
