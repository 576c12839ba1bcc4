/* SPDX-License-Identifier: MIT */
/*
 * unwind.c - a signal may come at any instruction of the recorder, and its handler unwinds: every frame must be there.
 *
 *	unwind steps     the processor traps at each instruction of calls that are recorded and bound, and each time the stack is walked
 *	unwind profile   as profilers do: a timer's signal at a high rate
 */
#include <execinfo.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>
#include <unwind.h>

#define KEEP __attribute__((noinline, noclone, visibility("default")))
#define BEFORE 4   /* calls: the 24th of what gets hot first is bound */
#define STEPPED 60 /* so in the middle of these */

static uintptr_t frames[2]; /* starts of functions that have to be found: who calls, and who calls that */
static volatile unsigned long walks, lost;
static volatile int off;

struct walk {
	int depth;
	unsigned found;
};

static _Unwind_Reason_Code visit(struct _Unwind_Context *context, void *data)
{
	struct walk *w = data;
	uintptr_t start = _Unwind_GetRegionStart(context);

	for (int i = 0; i < 2; i++)
		w->found |= (start && start == frames[i]) << i;
	return ++w->depth > 60 ? _URC_END_OF_STACK : _URC_NO_REASON;
}

static void *volatile stopped_at;

/* The walk itself has failed: where? */
static void on_fault(int number)
{
	const ucontext_t *context = stopped_at;

	fprintf(stderr, "can't be unwound from %#llx\n", (unsigned long long)context->uc_mcontext.gregs[REG_RIP]);
	_exit(3);
}

static void on_signal(int number, siginfo_t *info, void *context)
{
	struct walk w = { 0 };

	if (off)
		return;
	stopped_at = context;
	_Unwind_Backtrace(visit, &w);
	walks++;
	lost += w.found != 3;
}

/* Exported: the call of it goes through a stub. */
KEEP int callee(int n)
{
	__asm__ volatile("");
	return n + 1;
}

KEEP int caller(int n)
{
	int sum = 0;

	for (int i = 0; i < n; i++)
		sum += callee(i);
	__asm__ volatile("" : "+r"(sum));
	return sum;
}

/* The processor's flag that makes it trap after each instruction. */
void trap_on(void) __attribute__((visibility("hidden")));
void trap_off(void) __attribute__((visibility("hidden")));
__asm__(".text\n"
	"trap_on:\n	.cfi_startproc\n	pushf\n	.cfi_adjust_cfa_offset 8\n	orl $0x100, (%rsp)\n	popf\n"
	"	.cfi_adjust_cfa_offset -8\n	ret\n	.cfi_endproc\n"
	"trap_off:\n	.cfi_startproc\n	pushf\n	.cfi_adjust_cfa_offset 8\n	andl $~0x100, (%rsp)\n	popf\n"
	"	.cfi_adjust_cfa_offset -8\n	ret\n	.cfi_endproc\n");

/* Not through a stub: while a call of it is recorded, it is not on the stack. */
static int (*volatile stepped)(int) = caller;

KEEP int step_callers(int n)
{
	int sum;

	off = 0;
	trap_on();
	sum = stepped(n);
	trap_off();
	off = 1;
	return sum;
}

static int steps(void)
{
	struct sigaction action = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_RESTART };
	unsigned char code[96];
	int sum;

	frames[0] = (uintptr_t)caller;
	frames[1] = (uintptr_t)step_callers;
	sigaction(SIGTRAP, &action, NULL);
	signal(SIGSEGV, on_fault);
	sum = caller(BEFORE); /* ld.so's own resolving can't be unwound everywhere */
	memcpy(code, (const void *)caller, sizeof(code));
	sum += step_callers(STEPPED);
	if (getenv("TRAP_SAYS"))
		fprintf(stderr, "%s\n", memcmp(code, (const void *)caller, sizeof(code)) ? "bound meanwhile" : "not bound meanwhile");
	/* Around its call the caller is not on the stack: 8 instructions, and those of a stub. */
	printf("sum %d, lost %lu\n", sum, lost > 12 ? lost : 0);
	return 0;
}

static int profile(void)
{
	struct sigaction action = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_RESTART };
	struct itimerval fast = { { 0, 100 }, { 0, 100 } }, none = { { 0, 0 }, { 0, 0 } };
	volatile unsigned sum = 0;

	frames[0] = frames[1] = 0;
	sigaction(SIGPROF, &action, NULL);
	setitimer(ITIMER_PROF, &fast, NULL);
	/* The kernel's clock may have a coarse grain. */
	for (int i = 0; i < 300000 || walks < 10; i++)
		sum += (unsigned)caller(20);
	setitimer(ITIMER_PROF, &none, NULL);
	printf("walked\n");
	return walks == 0;
}

int trap_main(int argc, char **argv)
{
	void *here[4];

	backtrace(here, 4); /* the unwinder's own library is loaded now */
	return argc > 1 && !strcmp(argv[1], "steps") ? steps() : profile();
}
