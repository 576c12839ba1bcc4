// test: LABELS soak TIMEOUT 60 NOT thread generic VARIANTS "-O2" "-O2 -fPIC"
/* SPDX-License-Identifier: MIT */
/*
 * Sequences of several instructions change in stop mode while threads run them: none is ever in the middle of one, at a
 * pc or with a return address. What a thread counts is what one of the texts makes, and the one of its time; a mix of
 * both makes another number.
 */
#include "stress.h"

RELINK_KEY_FALSE(longer, "which text");

static struct relink_error err;
static struct timeline line;
static unsigned long runs, sleeps;

__attribute__((used, noinline, force_align_arg_pointer)) void count_one(unsigned *n)
{
	(*n)++;
}

/* Sleeps now and then, so that its return address is in a text for long. */
__attribute__((used, noinline, force_align_arg_pointer)) void count_two(unsigned *n)
{
	static unsigned often;

	*n += 2;
	if (__atomic_add_fetch(&often, 1, __ATOMIC_RELAXED) % 65536 == 0) {
		__atomic_fetch_add(&sleeps, 1, __ATOMIC_RELAXED);
		sleep_for(2e-3);
	}
}

#define ALL "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "memory", "cc"

/* 40, or 21 * 7: with one instruction, a loop, or none of the other text in it. */
static __attribute__((noinline)) unsigned plain(void)
{
	unsigned n;

	RELINK_ALTERNATIVE("xorl %[n], %[n]; .rept 40; addl $1, %[n]; .endr", "xorl %[n], %[n]; 1: addl $7, %[n]; cmpl $147, %[n]; jb 1b",
			   RELINK_WHEN_ON(longer), RELINK_OUT([n] "=&r"(n)), RELINK_IN(), RELINK_CLOBBERS("cc"));
	return n == 40 ? 0 : n == 147 ? 1 : 2;
}

/* Calls in it: 3 x 1 and one more, or 4 x 2 and none. */
static __attribute__((noinline)) unsigned calling(void)
{
	static __thread unsigned n;
	register unsigned *saved __asm__("r12") = &n;
	long keep = 0;

	n = 0;
	__asm__ volatile("subq $128, %%rsp" : : : "memory", "cc"); /* the red zone */
	RELINK_ALTERNATIVE("movq %[at], %%rdi; call count_one; movq %[at], %%rdi; call count_one; movq %[at], %%rdi; call count_one; addl $1, (%[at])",
			   "movq %[at], %%rdi; call count_two; movq %[at], %%rdi; call count_two; movq %[at], %%rdi; call count_two; "
			   "movq %[at], %%rdi; call count_two",
			   RELINK_WHEN_ON(longer), RELINK_OUT([keep] "+b"(keep)), RELINK_IN([at] "r"(saved)), RELINK_CLOBBERS(ALL));
	__asm__ volatile("addq $128, %%rsp" : : : "memory", "cc");
	return n == 4 ? 0 : n == 8 ? 1 : 2;
}

static void *run(void *unused)
{
	while (running()) {
		unsigned long from = timeline_read(&line);
		unsigned one = plain(), two = calling();
		unsigned long to = timeline_read(&line);

		__atomic_fetch_add(&runs, 1, __ATOMIC_RELAXED);
		CHECKF(one < 2 && two < 2, "a mix: %u %u", one, two);
		CHECKF(from != to || (from & 1) || (one == (from / 2 & 1) && two == one), "%u %u at %lu", one, two, from);
	}
	return unused;
}

int main(void)
{
	double end = now() + soak_seconds();
	unsigned long commits = 0;
	bool on = false;

	relink_stop_timeout(20000);
	CHECK(plain() == 0 && calling() == 0);
	for (int i = 0; i < 4; i++)
		start(run, NULL);
	CHECK_CODE(relink_key_set(longer, true, &err), RELINK_E_MODE, &err);
	while (now() < end) {
		struct relink_commit c = RELINK_COMMIT;

		on = !on;
		relink_set_key(&c, longer, on);
		timeline_step(&line);
		CHECK_CODE(relink_commit(&c, RELINK_STOP, &err), RELINK_OK, &err);
		timeline_step(&line);
		commits++;
		sleep_for(500e-6);
	}
	finish();
	printf("%lu stops, %lu runs, %lu sleeps\n", commits, runs, sleeps);
	CHECK(commits > 3 && runs > 100);
	return check_done();
}
