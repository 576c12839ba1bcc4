/* SPDX-License-Identifier: MIT */
/*
 * system.h - raw system calls, and what the files of this directory share.
 *
 * Between rl_text_begin and rl_text_end the runtime may be rewriting calls into libc, so nothing there calls libc: it
 * uses rl_syscall, which is this library's own code, and functions marked RL_RAW, into which no tool inserts calls.
 */
#ifndef RL_PLATFORM_LINUX_SYSTEM_H
#define RL_PLATFORM_LINUX_SYSTEM_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>

#if defined __x86_64__ && defined __LP64__
#define RL_X86_64 1 /* the one architecture whose running code is rewritten */
#endif

#define RL_HIDDEN __attribute__((visibility("hidden")))

/* Neither sanitizers nor profilers may put calls here. */
#if defined __clang__ && __has_attribute(disable_sanitizer_instrumentation)
#define RL_RAW __attribute__((no_sanitize("address", "thread", "undefined"), no_instrument_function, \
			      disable_sanitizer_instrumentation))
#elif defined __clang__
#define RL_RAW __attribute__((no_sanitize("address", "thread", "undefined"), no_instrument_function))
#else
#define RL_RAW __attribute__((no_sanitize("address", "thread", "undefined"), no_instrument_function, \
			      no_profile_instrument_function))
#endif

/* ---- syscall.c ---- */

/* The result, or -errno; errno is left alone; a fifth argument is 0. In the window, a call that a seccomp filter traps is -ENOSYS. */
RL_HIDDEN long rl_syscall(long number, long a, long b, long c, long d);
/* Did the thread that was interrupted here make the call above? */
RL_HIDDEN bool rl_syscall_returns_to(uintptr_t ip);

#ifdef RL_X86_64
/* rdsspq leaves the register alone where there is no shadow stack. */
RL_RAW static inline bool rl_has_shadow_stack(void)
{
	uint64_t pointer = 0;

	__asm__ volatile("rdsspq %0" : "+r"(pointer));
	return pointer != 0;
}
#endif

/* ---- signals.c ---- */

#define RL_SIGNAL_BIT(signal) (UINT64_C(1) << ((signal) - 1))
/* Raised by what a thread does itself. Blocked, they kill the process. */
#define RL_SYNCHRONOUS \
	(RL_SIGNAL_BIT(SIGSEGV) | RL_SIGNAL_BIT(SIGBUS) | RL_SIGNAL_BIT(SIGILL) | RL_SIGNAL_BIT(SIGFPE) | RL_SIGNAL_BIT(SIGTRAP) | \
	 RL_SIGNAL_BIT(SIGSYS))

/* What the kernel knows of a handler; struct sigaction is libc's idea of it. */
struct rl_disposition {
	uintptr_t handler;
	unsigned long flags;
	uintptr_t restorer;
	uint64_t mask;
};
/* Locals that our restorer may stand in: who looks through this stack later would take it for a handler's frame, for as long as a frame that
 * does not write there lies over it. */
#define RL_FORGOTTEN __attribute__((cleanup(rl_disposition_forget)))
static inline __attribute__((always_inline)) void rl_disposition_forget(struct rl_disposition *disposition)
{
	*(volatile uintptr_t *)&disposition->restorer = 0;
}
RL_HIDDEN int rl_disposition_set(int signal, const struct rl_disposition *set, struct rl_disposition *old);
/* From a handler: does what `to` would have done with the signal. */
RL_HIDDEN void rl_signal_chain(int signal, siginfo_t *info, void *context, const struct rl_disposition *to);
/* A handler's registration as ours. */
typedef void rl_handler(int signal, siginfo_t *info, void *context);
RL_HIDDEN void rl_disposition_ours(struct rl_disposition *ours, rl_handler *handler, unsigned long flags);

RL_HIDDEN void rl_window_open(void);
RL_HIDDEN void rl_window_close(void);
RL_HIDDEN void rl_window_after_fork(void);

/* ---- text.c ---- */

RL_HIDDEN int rl_writer_open(void);
RL_HIDDEN void rl_writer_close(void);
RL_HIDDEN bool rl_writer_reads(uintptr_t address, const uint8_t bytes[8]); /* is that what it shows? */
RL_HIDDEN const char *rl_writer_reason(int error);
RL_HIDDEN void rl_marker_remove(void); /* nothing can be written after all */
/* Is it our memory that this descriptor of /proc/PID/mem shows, and not a fork's copy or a program of its own? */
RL_HIDDEN bool rl_marker_in(long memory);

/* ---- barrier.c ---- */

/* NULL, or why threads can't be synchronised. */
RL_HIDDEN const char *rl_barrier_probe(void);
/* rl_text_barrier in instructions that every emulator knows. */
RL_HIDDEN int rl_barrier_careful(void);
#ifdef RL_X86_64
/* The calling thread alone. */
RL_HIDDEN void rl_serialise(void);
#endif

/* ---- maps.c ---- */

struct rl_mapping {
	uintptr_t start, stop;
	uint64_t device, inode;
	bool stack_like; /* may be read and written */
};
/* The mapping that holds the address, and what the kernel shows as its name. False: none, or it can't be known. */
RL_HIDDEN bool rl_mapping_of(uintptr_t address, struct rl_mapping *mapping, char *path, size_t size);

/* All mappings, by ascending address. False: it can't be known. */
RL_HIDDEN bool rl_mappings_each(void (*visit)(const struct rl_mapping *mapping, void *ctx), void *ctx);

/* A file that has been unlinked keeps its name in the kernel, with a remark; takes it off. */
RL_HIDDEN void rl_drop_remark(char *path);

/* ---- notes.c ---- */

struct dl_phdr_info;
/* The descriptor of a module's note in memory, NULL if it has none. */
RL_HIDDEN const uint8_t *rl_note(const struct dl_phdr_info *info, const char *owner, uint32_t type, size_t *length);
/* Is [address, address + size) inside a loaded segment that has all these PF_ flags? */
RL_HIDDEN bool rl_segment_holds(const struct dl_phdr_info *info, uintptr_t address, size_t size, uint32_t flags);

#endif
