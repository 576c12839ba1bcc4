/* SPDX-License-Identifier: MIT */
/*
 * traps.c - threads that run into a breakpoint of ours do what the instruction below it does, or wait until it is gone.
 *
 * Nothing here locks, allocates or touches errno: a trap can happen anywhere, also in malloc.
 */
#include "../platform.h"
#include "system.h"

#include "arch/port.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <ucontext.h>

#ifdef RL_X86_64

#define INT3 0xcc
#define SHARED_PAUSE 500000 /* ns */
#define SHARED_PATIENCE 20
#define PATIENCE 64 /* commits that may begin and end while we look at one trap */

static rl_guard_lookup *find_guard;
static rl_guard_covers *is_covered;
static struct rl_disposition previous;
static bool enabled;

/* A shadow stack can't be written; with one, the thread comes back to the site until the breakpoint is gone. */
RL_RAW static void apply(const struct rl_effect *effect, greg_t *registers, uintptr_t address)
{
	if ((effect->push || effect->pop) && rl_has_shadow_stack()) {
		registers[REG_RIP] = (greg_t)address;
		return;
	}
	registers[REG_RIP] = effect->through ? *(const volatile greg_t *)effect->ip : (greg_t)effect->ip;
	if (effect->set_result)
		registers[REG_RAX] = (greg_t)effect->value;
	if (effect->copy_argument)
		registers[REG_RAX] = registers[REG_RDI];
	if (effect->push) {
		registers[REG_RSP] -= 8;
		*(uint64_t *)registers[REG_RSP] = effect->value;
	}
	if (effect->pop) {
		registers[REG_RIP] = *(greg_t *)registers[REG_RSP];
		registers[REG_RSP] += 8;
	}
}

RL_RAW static bool emulate(uintptr_t address, greg_t *registers)
{
	uint8_t bytes[RL_SITE_MAX];
	struct rl_effect effect = { 0 };
	int kind;

	if (!__atomic_load_n(&find_guard, __ATOMIC_ACQUIRE)(address, &kind, bytes))
		return false;
	if (rl_port_x86_64.emulate((enum rl_kind)kind, address, bytes, (uint64_t)registers[REG_EFL], &effect))
		apply(&effect, registers, address);
	else
		registers[REG_RIP] = (greg_t)address;
	return true;
}

/*
 * False: not our breakpoint. A guard is published before its int3 is written and withdrawn after it is gone. So
 * without a guard, a byte that is no longer int3 says that the trap is late; one that is int3 may belong to a commit
 * that began after we looked, and is worth another look.
 */
RL_RAW static bool handle(uintptr_t address, greg_t *registers)
{
	for (int i = 0; i < PATIENCE; i++) {
		if (emulate(address, registers))
			return true;
		if (!__atomic_load_n(&is_covered, __ATOMIC_ACQUIRE)(address))
			return false;
		if (*(const volatile uint8_t *)address != INT3) {
			registers[REG_RIP] = (greg_t)address;
			return true;
		}
	}
	return false;
}

RL_RAW static void on_trap(int signal, siginfo_t *info, void *context)
{
	greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
	uintptr_t address = (uintptr_t)registers[REG_RIP] - 1;

	/* int3 is SI_KERNEL; single steps, icebp, hardware breakpoints and kill() are not */
	if (info->si_code != SI_KERNEL || !handle(address, registers))
		rl_signal_chain(signal, info, context, &previous);
}

RL_RAW static bool installed(void)
{
	RL_FORGOTTEN struct rl_disposition now;

	return rl_disposition_set(SIGTRAP, NULL, &now) == 0 && now.handler == (uintptr_t)on_trap;
}

/* Once replaced we stay out: whoever did it may pass signals on to us, and we would pass them back. */
int rl_traps_enable(rl_guard_lookup *lookup, rl_guard_covers *covers)
{
	RL_FORGOTTEN struct rl_disposition ours;
	int error;

	if (enabled && !installed())
		return -EBUSY;
	__atomic_store_n(&is_covered, covers, __ATOMIC_RELEASE);
	__atomic_store_n(&find_guard, lookup, __ATOMIC_RELEASE);
	if (enabled)
		return 0;
	error = rl_disposition_set(SIGTRAP, NULL, &previous); /* known before anything can be chained */
	if (error < 0)
		return error;
	rl_disposition_ours(&ours, on_trap, SA_NODEFER | SA_ONSTACK | SA_RESTART);
	error = rl_disposition_set(SIGTRAP, &ours, NULL);
	enabled = error == 0;
	return error;
}

/* "\nTracerPid:\t123\n" is in the first lines. A program's name can't fake it: line feeds in names are escaped. */
static bool is_traced(const char *status)
{
	const char *field = strstr(status, "\nTracerPid:\t");

	return !field || field[12] != '0';
}

/* A filter that raises SIGSYS for opening files makes that an error here, as in a commit. */
static long read_status(char *status, size_t size)
{
	long got = -1, descriptor;

	rl_window_open();
	descriptor = rl_syscall(SYS_openat, AT_FDCWD, (long)"/proc/self/status", O_RDONLY | O_CLOEXEC, 0);
	if (descriptor >= 0) {
		got = rl_syscall(SYS_read, descriptor, (long)status, (long)size, 0);
		rl_syscall(SYS_close, descriptor, 0, 0, 0);
	}
	rl_window_close();
	return got;
}

static const char *traced(void)
{
	char status[512];
	long got = read_status(status, sizeof(status) - 1);

	if (got < 0)
		return "it can't be told whether a debugger is attached: /proc/self/status can't be read";
	status[got] = '\0';
	return is_traced(status) ? "a debugger or tracer is attached" : NULL;
}

/*
 * Such a process has a mask and handlers of its own, and may have blocked SIGTRAP or taken ours away. Most are about to exec,
 * which is worth a moment: a refusal leaves calls bound to a module that is being unloaded.
 */
static bool stays_shared(void)
{
	struct timespec pause = { 0, SHARED_PAUSE };
	bool shared = rl_memory_is_shared();

	for (int i = 0; i < SHARED_PATIENCE && shared; i++) {
		rl_syscall(SYS_nanosleep, (long)&pause, 0, 0, 0);
		shared = rl_memory_is_shared();
	}
	return shared;
}

const char *rl_traps_refused(void)
{
	const char *why;

	if (!enabled)
		return "no SIGTRAP handler was installed";
	if (!installed())
		return "the program has replaced the SIGTRAP handler";
	why = traced();
	if (!why && stays_shared())
		why = "a process shares the memory (a vfork or posix_spawn child that has not run exec yet, or clone with CLONE_VM)";
	return why;
}

#else

int rl_traps_enable(rl_guard_lookup *lookup, rl_guard_covers *covers)
{
	(void)lookup, (void)covers;
	return -ENOSYS;
}

const char *rl_traps_refused(void)
{
	return "breakpoints are not used on this architecture";
}

#endif
