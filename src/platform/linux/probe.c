/* SPDX-License-Identifier: MIT */
/*
 * probe.c - finds out what works by doing it: under an emulator the new bytes can be read while the old code runs.
 *
 * The code that is rewritten for it is this library's own, on a page like every other page of code.
 */
#include "../platform.h"
#include "system.h"

#include <errno.h>
#include <linux/futex.h>
#include <linux/sched.h>
#include <stdio.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#ifdef RL_X86_64

/* One aligned word. The function starts at its second byte; of its eight, six differ between the two forms. */
#define FORM_A { 0x00, 0xb8, 0x11, 0x11, 0x11, 0x11, 0xc3, 0x00 } /* mov $0x11111111, %eax; ret */
#define FORM_B { 0xff, 0xb8, 0xee, 0xee, 0xee, 0xee, 0xc3, 0xff }
#define RESULT_A 0x11111111U
#define RESULT_B 0xeeeeeeeeU

extern const volatile uint64_t rl_probe_word RL_HIDDEN;
extern unsigned int rl_probe_function(void) RL_HIDDEN;

/* Alone in its cache line, so that no other code runs from where it changes. */
__asm__(".pushsection .text\n"
	".balign 64, 0xcc\n"
	".globl rl_probe_word, rl_probe_function\n"
	".hidden rl_probe_word, rl_probe_function\n"
	".type rl_probe_function, @function\n"
	"rl_probe_word:\n"
	"	.byte	0x00\n"
	"rl_probe_function:\n"
	"	.cfi_startproc\n"
	"	.byte	0xb8, 0x11, 0x11, 0x11, 0x11, 0xc3\n"
	"	.cfi_endproc\n"
	".size rl_probe_function, . - rl_probe_function\n"
	"	.byte	0x00\n"
	".balign 64, 0xcc\n"
	".popsection\n");

static const uint8_t form_a[8] = FORM_A, form_b[8] = FORM_B;

#define WORD ((uintptr_t)&rl_probe_word)

/* ---- writing and running ---- */

/* Without a barrier this still proves the writer: the calling thread serialises itself. */
RL_RAW static bool becomes(const uint8_t form[8], unsigned int result)
{
	if (rl_text_write(WORD, form, 8) < 0)
		return false;
	rl_barrier_careful();
	return rl_probe_function() == result;
}

/*
 * Always at the same place, and first without a change: an emulator that translates a call together with what it calls
 * would else seem to notice what was written.
 */
RL_RAW static bool alternates(void)
{
	bool seen = true;

	for (int i = 0; i < 5 && seen; i++)
		seen = becomes(i & 1 ? form_b : form_a, i & 1 ? RESULT_B : RESULT_A);
	return seen;
}

/* The first comparison is for emulators, where the address may be one of theirs. */
RL_RAW static const char *prove_writer(void)
{
	if (rl_probe_function() != RESULT_A || !rl_writer_reads(WORD, form_a))
		return "/proc/self/mem does not show this program's code (an emulator?)";
	if (rl_text_write(WORD, form_a, 8) < 0)
		return "/proc/self/mem refuses to write code (by proc_mem.force_override, or a seccomp filter?)";
	if (alternates())
		return NULL;
	rl_text_write(WORD, form_a, 8);
	return "code written through /proc/self/mem is not what runs (valgrind, or an emulator?)";
}

static const char *probe_writer(void)
{
	const char *why;
	int error = rl_writer_open();

	if (error < 0)
		return rl_writer_reason(error);
	why = prove_writer();
	if (why)
		rl_writer_close();
	return why;
}

void rl_text_probe(struct rl_text_abilities *abilities)
{
	const char *write_why, *barrier_why;

	*abilities = (struct rl_text_abilities){ .writer = "none", .barrier_name = "none" };
	rl_window_open();
	if (rl_marker_create() < 0) {
		rl_window_close();
		snprintf(abilities->why, sizeof(abilities->why), "%s",
			 "the kernel has no memory that forks empty (MADV_WIPEONFORK, Linux 4.14)");
		return;
	}
	rl_writer_close(); /* of an earlier probe */
	barrier_why = rl_barrier_probe();
	write_why = probe_writer();
	rl_window_close();
	abilities->write = !write_why;
	abilities->barrier = !barrier_why;
	if (!write_why)
		abilities->writer = "/proc/self/mem";
	else
		rl_marker_remove();
	if (!barrier_why)
		abilities->barrier_name = "membarrier";
	if (write_why || barrier_why)
		snprintf(abilities->why, sizeof(abilities->why), "%s", write_why ? write_why : barrier_why);
}

/* ---- one store, seen whole ---- */

#define STACK_SIZE 16384
#define MILLISECOND 1000000LL
#define ENOUGH 1000 /* changes seen */
#define AT_LEAST 200
#define START_LIMIT (5 * MILLISECOND)
#define RUN_LIMIT (3 * MILLISECOND)
#define BUSY_LIMIT (20 * MILLISECOND) /* on a machine with other work */
#define EXIT_LIMIT (1000 * MILLISECOND)

/* At the low end of the reader's stack. */
struct reader {
	uint32_t tid; /* the kernel clears it, and wakes us, when the thread has ended */
	uint32_t stop;
	uint64_t changes;
	uint64_t torn;
	uint64_t rounds;
};

RL_RAW static bool whole(uint64_t word, unsigned int result)
{
	uint64_t a, b;

	__builtin_memcpy(&a, form_a, sizeof(a));
	__builtin_memcpy(&b, form_b, sizeof(b));
	return (word == a || word == b) && (result == RESULT_A || result == RESULT_B);
}

/* Runs without TLS of its own, unknown to libc: calls nothing, and has no stack protector. */
#if defined __has_attribute
#if __has_attribute(no_stack_protector)
__attribute__((no_stack_protector))
#endif
#endif
RL_RAW static void read_until_stopped(void *argument)
{
	struct reader *reader = argument;
	uint64_t word, last = 0;

	while (!__atomic_load_n(&reader->stop, __ATOMIC_RELAXED)) {
		word = rl_probe_word;
		if (!whole(word, rl_probe_function()))
			__atomic_store_n(&reader->torn, reader->torn + 1, __ATOMIC_RELAXED);
		if (word != last)
			__atomic_store_n(&reader->changes, reader->changes + 1, __ATOMIC_RELAXED);
		last = word;
		__atomic_store_n(&reader->rounds, reader->rounds + 1, __ATOMIC_RELAXED);
	}
	for (;;)
		rl_syscall(SYS_exit, 0, 0, 0, 0);
}

RL_RAW static int64_t now(void)
{
	struct timespec time = { 0, 0 };

	rl_syscall(SYS_clock_gettime, CLOCK_MONOTONIC, (long)&time, 0, 0);
	return (int64_t)time.tv_sec * 1000 * MILLISECOND + time.tv_nsec;
}

/* The thread has our mask; only SIGSYS stays open, because a seccomp filter may raise it right here. */
RL_RAW static long start_reader(struct reader *reader)
{
	const long flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_SYSVSEM | CLONE_THREAD |
			   CLONE_CHILD_CLEARTID;
	uint64_t mask = ~(UINT64_C(1) << (SIGSYS - 1)), window;
	long tid;

	reader->tid = 1;
	rl_syscall(SYS_rt_sigprocmask, SIG_SETMASK, (long)&mask, (long)&window, sizeof(mask));
	tid = rl_clone(flags, (char *)reader + STACK_SIZE - 64, &reader->tid, read_until_stopped, reader);
	rl_syscall(SYS_rt_sigprocmask, SIG_SETMASK, (long)&window, 0, sizeof(mask));
	return tid;
}

/* Away from our processor, where it would not run while we do. A hint: it may be refused. */
RL_RAW static void move_reader(long tid)
{
	unsigned long mask[128];
	unsigned processor = 0, bits = 8 * sizeof(mask[0]);
	long size = rl_syscall(SYS_sched_getaffinity, 0, sizeof(mask), (long)mask, 0);

	if (size <= 0 || rl_syscall(SYS_getcpu, (long)&processor, 0, 0, 0) < 0 || processor / 8 >= (size_t)size)
		return;
	mask[processor / bits] &= ~(1UL << processor % bits);
	rl_syscall(SYS_sched_setaffinity, tid, size, (long)mask, 0);
}

RL_RAW static bool seen_enough(const struct reader *reader, int64_t elapsed)
{
	uint64_t changes = __atomic_load_n(&reader->changes, __ATOMIC_RELAXED);

	return changes >= ENOUGH || (elapsed > RUN_LIMIT && changes >= AT_LEAST) || elapsed > BUSY_LIMIT;
}

RL_RAW static void alternate(const struct reader *reader)
{
	int64_t start = now();

	while (!__atomic_load_n(&reader->rounds, __ATOMIC_RELAXED) && now() - start < START_LIMIT)
		rl_syscall(SYS_sched_yield, 0, 0, 0, 0);
	start = now();
	while (!seen_enough(reader, now() - start))
		for (int i = 0; i < 16; i++)
			if (rl_text_write(WORD, i & 1 ? form_a : form_b, 8) < 0)
				return;
}

/* Gone for every observer, not only from its stack: others count threads. */
RL_RAW static bool reader_ended(struct reader *reader, long tid)
{
	struct timespec wait = { 0, 100 * MILLISECOND };
	int64_t limit = now() + EXIT_LIMIT;
	long process = rl_syscall(SYS_getpid, 0, 0, 0, 0);

	__atomic_store_n(&reader->stop, 1, __ATOMIC_RELAXED);
	while (__atomic_load_n(&reader->tid, __ATOMIC_ACQUIRE) && now() < limit)
		rl_syscall(SYS_futex, (long)&reader->tid, FUTEX_WAIT, 1, (long)&wait);
	while (rl_syscall(SYS_tgkill, process, tid, 0, 0) == 0 && now() < limit)
		rl_syscall(SYS_sched_yield, 0, 0, 0, 0);
	return !__atomic_load_n(&reader->tid, __ATOMIC_ACQUIRE);
}

/* A reader that doesn't end in time keeps its stack. */
RL_RAW static bool observe(struct reader *reader, bool *ended)
{
	long tid = start_reader(reader);

	if (tid < 0)
		return false;
	move_reader(tid);
	alternate(reader);
	*ended = reader_ended(reader, tid);
	return *ended && becomes(form_a, RESULT_A) && !reader->torn && reader->changes >= AT_LEAST;
}

bool rl_text_probe_one_store(void)
{
	struct reader *reader;
	const char *why;
	bool ended = true, proved = false;

	if (rl_cpus() < 2)
		return false;
	reader = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	if (reader == MAP_FAILED)
		return false;
	if (rl_text_begin(&why) == 0) {
		proved = observe(reader, &ended);
		rl_text_end();
	}
	if (ended)
		munmap(reader, STACK_SIZE);
	return proved;
}

#else

void rl_text_probe(struct rl_text_abilities *abilities)
{
	*abilities = (struct rl_text_abilities){ .writer = "none", .barrier_name = "none" };
	snprintf(abilities->why, sizeof(abilities->why), "no port for rewriting this architecture's code");
}

bool rl_text_probe_one_store(void)
{
	return false;
}

#endif
