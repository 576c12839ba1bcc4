/* test: VARIANTS "-O2" "-O2 -fPIC" "-O2 -fno-omit-frame-pointer" "-O0" "-O2 -fcf-protection" NOT generic address undefined thread */
/* SPDX-License-Identifier: MIT */
/*
 * alternatives_unwind.c - every instruction of every arm, padding and callees included, is stepped through, and from each the
 * stack unwinds to the same callers: the tables are those of the first text.
 */
#include <signal.h>
#include <ucontext.h>
#include <unwind.h>

#include "check.h"

RELINK_OPTION(arm, "which", first, second, third, fourth);
RELINK_IMMEDIATE(uint64_t, number, 0x1122334455667788, "a number, with its padding");

static struct relink_error err;
__attribute__((used)) int unwind_number = 77;

#define MOST 64
struct frames {
	int count;
	uintptr_t at[MOST];
};
static struct frames wanted, got;

static _Unwind_Reason_Code note(struct _Unwind_Context *context, void *ctx)
{
	struct frames *f = ctx;

	if (f->count < MOST)
		f->at[f->count++] = (uintptr_t)_Unwind_GetIP(context);
	return f->count < MOST ? _URC_NO_REASON : _URC_END_OF_STACK;
}

/* The callers of `middle`, from the bottom: as many as there are. */
static bool ends_alike(const struct frames *a, const struct frames *b)
{
	if (b->count < a->count)
		return false;
	for (int i = 1; i <= a->count; i++)
		if (a->at[a->count - i] != b->at[b->count - i])
			return false;
	return true;
}

static volatile sig_atomic_t stepping, steps, inside, wrong;
static uintptr_t wrong_at, low, high;

__attribute__((noinline, used)) int unwind_callee(int x)
{
	return x + 1;
}

/* Its own frame is the top one of `wanted`, and left out. */
static __attribute__((noinline)) int middle(int x)
{
	int n = 0;

	RELINK_ALTERNATIVE_3("movl %[x], %[n]; addl $1, %[n]",
			     "call unwind_callee; leal (%%rax), %[n]", RELINK_WHEN_ON(arm.rest[0]),
			     "movl $20, %%ecx; 1: decl %%ecx; jnz 1b; movl %[x], %[n]; addl unwind_number(%%rip), %[n]; subl $76, %[n]", RELINK_WHEN_ON(arm.rest[1]),
			     "cmpl $77, unwind_number(%%rip); jne 2f; call unwind_callee; movl %%eax, %[n]; 2: nop", RELINK_WHEN_ON(arm.rest[2]),
			     RELINK_OUT([n] "=&b"(n)), RELINK_IN([x] "D"(x)),
			     RELINK_CLOBBERS("rax", "rcx", "rdx", "rsi", "r8", "r9", "r10", "r11", "memory", "cc"));
	return n + (relink_immediate(number) == 0x1122334455667788);
}

static void on_step(int signal, siginfo_t *info, void *context)
{
	ucontext_t *u = context;
	uintptr_t at = (uintptr_t)u->uc_mcontext.gregs[REG_RIP];

	(void)signal;
	if (info->si_code == SI_KERNEL) { /* int3: from here on, and no further */
		stepping = !stepping;
		u->uc_mcontext.gregs[REG_EFL] &= ~0x100;
		u->uc_mcontext.gregs[REG_EFL] |= stepping ? 0x100 : 0;
		return;
	}
	steps++;
	inside += at >= low && at < high;
	got.count = 0;
	_Unwind_Backtrace(note, &got);
	if (!ends_alike(&wanted, &got) && !wrong++)
		wrong_at = at;
}

/* Who calls `caller` is what has to be found from everywhere below. */
static __attribute__((noinline)) int caller(int x)
{
	int r;

	__asm__ volatile("int3");
	r = middle(x);
	__asm__ volatile("int3");
	return r + 1;
}

static __attribute__((noinline)) int outer(int x)
{
	int r;

	wanted.count = 0;
	_Unwind_Backtrace(note, &wanted);
	/* The first is this function, at another call than the next one. */
	for (int i = 1; i < wanted.count; i++)
		wanted.at[i - 1] = wanted.at[i];
	wanted.count--;
	r = caller(x);
	return r + 1;
}

static int look(const struct relink_site_info *info, void *ctx)
{
	(void)ctx;
	if (info->kind == RELINK_SITE_ALTERNATIVE) {
		low = info->address;
		high = low + 24;
	}
	return 0;
}

int main(void)
{
	struct sigaction action = { .sa_sigaction = on_step, .sa_flags = SA_SIGINFO };
	struct relink_status status = { .size = sizeof(status) };

	if (relink_get_status(&status) || strncmp(status.mode, "direct", 6))
		check_skip(status.mode);
	sigaction(SIGTRAP, &action, NULL);
	CHECK(relink_each_site(look, NULL) == 0);
	for (int state = 0; state < 4; state++) {
		struct relink_commit c = RELINK_COMMIT;

		relink_wish_option(&c, &arm.option, state);
		CHECK_CODE(relink_commit(&c, RELINK_STARTUP, &err), RELINK_OK, &err);
		steps = inside = wrong = 0;
		CHECKF(outer(5) == 9, "arm %d: %d", state, outer(5));
		CHECKF(!wrong, "arm %d: %d of %d steps unwind otherwise, the first at middle+%ld", state, (int)wrong, (int)steps,
		       (long)(wrong_at - (uintptr_t)middle));
		CHECKF(wanted.count >= 2 && inside >= 2 && steps > 6, "arm %d: %d frames, %d steps, %d inside", state, wanted.count, (int)steps,
		       (int)inside);
	}
	return check_done();
}
