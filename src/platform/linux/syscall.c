/* SPDX-License-Identifier: MIT */
/* syscall.c - system calls without libc. */
#include "system.h"

#include <errno.h>
#include <unistd.h>

#ifdef RL_X86_64

extern const char rl_syscall_done[] RL_HIDDEN;

/*
 * Global symbols, because under link-time optimisation the C code may land in another unit than this.
 * A call that seccomp traps raises SIGSYS with the instruction pointer at that label: so the handler knows ours.
 */
__asm__(".pushsection .text\n"
	".balign 16\n"
	".globl rl_syscall, rl_syscall_done\n"
	".hidden rl_syscall, rl_syscall_done\n"
	".type rl_syscall, @function\n"
	"rl_syscall:\n"
	"	.cfi_startproc\n"
	"	mov	%rdi, %rax\n"
	"	mov	%rsi, %rdi\n"
	"	mov	%rdx, %rsi\n"
	"	mov	%rcx, %rdx\n"
	"	mov	%r8, %r10\n"
	"	xor	%r8d, %r8d\n"
	"	syscall\n"
	"rl_syscall_done:\n"
	"	ret\n"
	"	.cfi_endproc\n"
	".size rl_syscall, . - rl_syscall\n"
	".popsection\n");

RL_RAW bool rl_syscall_returns_to(uintptr_t ip)
{
	return ip == (uintptr_t)rl_syscall_done;
}

#else /* nothing is rewritten here, so libc will do */

long rl_syscall(long number, long a, long b, long c, long d)
{
	int saved = errno;
	long result = syscall(number, a, b, c, d, 0L);

	if (result == -1)
		result = -errno;
	errno = saved;
	return result;
}

bool rl_syscall_returns_to(uintptr_t ip)
{
	(void)ip;
	return false;
}

#endif
