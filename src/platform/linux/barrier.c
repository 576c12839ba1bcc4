/* SPDX-License-Identifier: MIT */
/* barrier.c - makes every thread of the process execute a core-serialising instruction: membarrier. */
#include "../platform.h"
#include "system.h"

#include <errno.h>
#include <linux/membarrier.h>

/* Newer than some kernel headers. */
#define SYNC_CORE (1 << 5)
#define REGISTER_SYNC_CORE (1 << 6)

static bool usable;

RL_RAW static int membarrier(int command)
{
	return (int)rl_syscall(SYS_membarrier, command, 0, 0, 0);
}

const char *rl_barrier_probe(void)
{
	int error, commands = membarrier(MEMBARRIER_CMD_QUERY);

	usable = false;
	if (commands == -ENOSYS)
		return "membarrier is missing: an old kernel, or a seccomp filter forbids it";
	if (commands < 0)
		return "membarrier is forbidden: by a seccomp filter?";
	if (!(commands & SYNC_CORE) || !(commands & REGISTER_SYNC_CORE))
		return "this kernel's membarrier can't synchronise code (SYNC_CORE, Linux 4.16)";
	error = membarrier(REGISTER_SYNC_CORE);
	if (error == 0)
		error = membarrier(SYNC_CORE);
	if (error < 0)
		return "membarrier is offered but fails";
	usable = true;
	return NULL;
}

/* A fork keeps the registration and an exec drops it, says the manual; a refusal costs us only one more question. */
RL_RAW static int synchronise_others(void)
{
	int error = usable ? membarrier(SYNC_CORE) : -ENOSYS;

	if (error == -EPERM && membarrier(REGISTER_SYNC_CORE) == 0)
		error = membarrier(SYNC_CORE);
	return error;
}

#ifdef RL_X86_64

RL_RAW static void execute_cpuid(void)
{
	unsigned int a = 0, c = 0;

	__asm__ volatile("cpuid" : "+a"(a), "+c"(c) : : "rbx", "rdx", "memory");
}

/*
 * Before Linux 5.10 membarrier left out the calling thread. iret serialises as cpuid does, but does not leave a virtual
 * machine: 0.1 us instead of 5. A shadow stack would want to hear of it. What it pops is described to unwinders, who may
 * look between any two instructions: this returns to its caller by it.
 */
void rl_barrier_iret(void) RL_HIDDEN;
__asm__(".pushsection .text\n"
	".globl rl_barrier_iret\n"
	".hidden rl_barrier_iret\n"
	".type rl_barrier_iret, @function\n"
	"rl_barrier_iret:\n"
	"	.cfi_startproc\n"
	"	lea	8(%rsp), %rax\n"
	"	mov	(%rsp), %rcx\n"
	"	push	$0\n" /* ss, filled in below */
	"	.cfi_adjust_cfa_offset 8\n"
	"	push	%rax\n"
	"	.cfi_adjust_cfa_offset 8\n"
	"	pushfq\n"
	"	.cfi_adjust_cfa_offset 8\n"
	"	push	$0\n" /* cs */
	"	.cfi_adjust_cfa_offset 8\n"
	"	mov	%ss, 24(%rsp)\n"
	"	mov	%cs, (%rsp)\n"
	"	push	%rcx\n"
	"	.cfi_adjust_cfa_offset 8\n"
	"	iretq\n"
	"	.cfi_endproc\n"
	".size rl_barrier_iret, . - rl_barrier_iret\n"
	".popsection\n");

RL_RAW void rl_serialise(void)
{
	if (rl_has_shadow_stack())
		execute_cpuid();
	else
		rl_barrier_iret();
}

#else

static void execute_cpuid(void)
{
}

static void rl_serialise(void)
{
}

#endif

RL_RAW int rl_text_barrier(void)
{
	int error = synchronise_others();

	rl_serialise();
	return error;
}

RL_RAW int rl_barrier_careful(void)
{
	int error = synchronise_others();

	execute_cpuid();
	return error;
}
