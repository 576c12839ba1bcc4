/* SPDX-License-Identifier: MIT */
/*
 * signals.c - the window: asynchronous signals blocked, SIGSYS caught; and passing a signal on to whom it belongs.
 *
 * A seccomp filter that answers SECCOMP_RET_TRAP raises SIGSYS instead of returning an error, and filters can arrive at
 * any moment. Only a handler can turn that into -ENOSYS. It is installed for the duration of the window, not for good:
 * sandboxes complain about a SIGSYS handler that is not theirs. To ask whether there is a filter is neither cheaper nor
 * sounder: prctl(PR_GET_SECCOMP) costs more than setting a handler, and may be what is filtered.
 */
#include "system.h"

#include <errno.h>
#include <time.h>
#include <ucontext.h>

#ifndef SYS_SECCOMP
#define SYS_SECCOMP 1
#endif

/* Owned by whoever has the window open; there is one at a time. */
static struct {
	uint64_t mask;
	struct rl_disposition sigsys; /* also read by the handler, in any thread */
	bool unsettled; /* sigsys is being written */
} saved;

RL_RAW static void change_mask(int how, uint64_t mask, uint64_t *old)
{
	rl_syscall(SYS_rt_sigprocmask, how, (long)&mask, (long)old, sizeof(mask));
}

#ifdef RL_X86_64

#define KERNEL_SA_RESTORER 0x04000000UL

extern const char rl_sigreturn[] RL_HIDDEN;

/* Unwinders and debuggers know a signal frame by exactly these bytes. The nop: they look one byte before, too. */
__asm__(".pushsection .text\n"
	".balign 16\n"
	".globl rl_sigreturn\n"
	".hidden rl_sigreturn\n"
	".type rl_sigreturn, @function\n"
	"	nop\n"
	"rl_sigreturn:\n"
	"	.byte 0x48, 0xc7, 0xc0, 0x0f, 0x00, 0x00, 0x00\n" /* mov $15, %rax */
	"	syscall\n"
	".size rl_sigreturn, . - rl_sigreturn\n"
	".popsection\n");

RL_RAW void rl_disposition_ours(struct rl_disposition *ours, rl_handler *handler, unsigned long flags)
{
	ours->handler = (uintptr_t)handler;
	ours->flags = flags | SA_SIGINFO | KERNEL_SA_RESTORER;
	ours->restorer = (uintptr_t)rl_sigreturn;
	ours->mask = 0;
}

RL_RAW int rl_disposition_set(int signal, const struct rl_disposition *set, struct rl_disposition *old)
{
	return (int)rl_syscall(SYS_rt_sigaction, signal, (long)set, (long)old, sizeof(set->mask));
}

/* The default action: with the original siginfo and in the interrupted context, once the handler has returned. */
RL_RAW static void take_default(int signal, siginfo_t *info)
{
	struct rl_disposition none = { .handler = (uintptr_t)SIG_DFL };
	long process = rl_syscall(SYS_getpid, 0, 0, 0, 0);
	long thread = rl_syscall(SYS_gettid, 0, 0, 0, 0);

	change_mask(SIG_BLOCK, RL_SIGNAL_BIT(signal), NULL);
	rl_disposition_set(signal, &none, NULL);
	rl_syscall(SYS_rt_tgsigqueueinfo, process, thread, signal, (long)info);
}

/* The mask that the kernel would have given to that handler. */
RL_RAW static uint64_t mask_for(int signal, const ucontext_t *context, const struct rl_disposition *to)
{
	uint64_t interrupted;

	__builtin_memcpy(&interrupted, &context->uc_sigmask, sizeof(interrupted));
	return interrupted | to->mask | (to->flags & SA_NODEFER ? 0 : RL_SIGNAL_BIT(signal));
}

RL_RAW void rl_signal_chain(int signal, siginfo_t *info, void *context, const struct rl_disposition *to)
{
	bool forced = info->si_code > 0; /* by the kernel, which does not let that be ignored */

	if (to->handler == (uintptr_t)SIG_IGN && !forced)
		return;
	if (to->handler == (uintptr_t)SIG_DFL || to->handler == (uintptr_t)SIG_IGN) {
		take_default(signal, info);
		return;
	}
	change_mask(SIG_SETMASK, mask_for(signal, context, to), NULL);
	if (to->flags & SA_SIGINFO)
		((rl_handler *)to->handler)(signal, info, context);
	else
		((void (*)(int))to->handler)(signal);
}

/*
 * Another thread may trap between our handler's arrival and our knowing whom it replaced. It sleeps, as it may be the
 * more urgent one, and gives up after a while: it could be in the child of a fork that happened just then.
 */
RL_RAW static void wait_until_settled(void)
{
	struct timespec pause = { 0, 50000 };
	int patience = 200;

	while (__atomic_load_n(&saved.unsettled, __ATOMIC_ACQUIRE) && patience--)
		rl_syscall(SYS_nanosleep, (long)&pause, 0, 0, 0);
}

/*
 * A handler of the program that was set while the window was open may have found us in its place and pass on to us what
 * we passed to it. The kernel enters a handler with our restorer as its return address, the program's handler does not.
 */
RL_RAW static void on_sigsys(int signal, siginfo_t *info, void *context)
{
	static const struct rl_disposition nobody; /* SIG_DFL */
	greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
	bool from_kernel = __builtin_return_address(0) == (const void *)rl_sigreturn;

	if (info->si_code == SYS_SECCOMP && rl_syscall_returns_to((uintptr_t)registers[REG_RIP])) {
		registers[REG_RAX] = -ENOSYS;
		return;
	}
	wait_until_settled();
	rl_signal_chain(signal, info, context, from_kernel ? &saved.sigsys : &nobody);
	__asm__ volatile("" : : : "memory"); /* not a tail call: whom we call must not return to our restorer */
}

RL_RAW static void guard_on(void)
{
	RL_FORGOTTEN struct rl_disposition ours;
	RL_FORGOTTEN struct rl_disposition old;

	rl_disposition_ours(&ours, on_sigsys, SA_ONSTACK | SA_RESTART);
	__atomic_store_n(&saved.unsettled, true, __ATOMIC_RELAXED);
	if (rl_disposition_set(SIGSYS, &ours, &old) == 0 && old.handler != ours.handler)
		saved.sigsys = old;
	__atomic_store_n(&saved.unsettled, false, __ATOMIC_RELEASE);
}

RL_RAW static void guard_off(void)
{
	RL_FORGOTTEN struct rl_disposition found;

	if (rl_disposition_set(SIGSYS, &saved.sigsys, &found) == 0 && found.handler != (uintptr_t)on_sigsys)
		rl_disposition_set(SIGSYS, &found, NULL); /* the program has set its own meanwhile */
}

/* Another thread's fork while the window was open: the child inherits the handler and nobody to take it away. */
void rl_window_after_fork(void)
{
	RL_FORGOTTEN struct rl_disposition found;

	__atomic_store_n(&saved.unsettled, false, __ATOMIC_RELAXED);
	if (rl_disposition_set(SIGSYS, NULL, &found) == 0 && found.handler == (uintptr_t)on_sigsys)
		guard_off();
}

#else

static void guard_on(void)
{
}

static void guard_off(void)
{
}

void rl_window_after_fork(void)
{
}

#endif

RL_RAW void rl_window_open(void)
{
	change_mask(SIG_BLOCK, ~RL_SYNCHRONOUS, &saved.mask);
	guard_on();
	if (saved.mask & RL_SIGNAL_BIT(SIGSYS))
		change_mask(SIG_UNBLOCK, RL_SIGNAL_BIT(SIGSYS), NULL);
}

RL_RAW void rl_window_close(void)
{
	guard_off();
	change_mask(SIG_SETMASK, saved.mask, NULL);
}
