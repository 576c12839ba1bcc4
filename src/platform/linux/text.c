/* SPDX-License-Identifier: MIT */
/*
 * text.c - writes code through /proc/self/mem, so that it is never writable and executable at once.
 *
 * But that does not write words: kernels copy with `rep movsb` where the processor says that it is fast, and another
 * processor sees some of the bytes new and some old. What has to be seen whole is one store of our own, in a page that
 * is writable for the moment; programs have to allow it.
 *
 * The descriptor names the memory of the process that opened it, for ever. In the child of a fork it would change the
 * parent's code: a page that fork empties tells. And it is only a number: programs close descriptors that they don't
 * know and get the number for something else. So each window starts by asking for the descriptor's position, which was
 * set to a random value when it was opened and which no other file has. That identifies it as well as fstat does, costs
 * half, and never waits for a file server.
 */
#include "../platform.h"
#include "system.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define HIGH_DESCRIPTOR 200
#define FIRST_DESCRIPTOR 3 /* below are the ones that programs close and expect to get again */
#define PAGE 4096u
#define PATIENCE 100       /* times that somebody may close the descriptor in the middle of what we do */

/* On a page of its own that is zeros in the child of a fork. */
struct marker {
	uint32_t ours;
	int32_t process;
};

static struct marker *marker;
static uint64_t seed;

static struct {
	int descriptor;    /* -1: none */
	int64_t position;  /* that only our descriptor has */
} writer = { .descriptor = -1 };

static bool aside; /* see rl_text_aside */

static uintptr_t open_page; /* that is writable now; 0: none */

/* ---- whose memory ---- */

RL_RAW static void mark(void)
{
	marker->process = (int32_t)rl_syscall(SYS_getpid, 0, 0, 0, 0);
	marker->ours = 1;
}

int rl_marker_create(void)
{
	const void *random = (const void *)getauxval(AT_RANDOM);
	struct marker *page;

	if (marker)
		return 0;
	page = mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		return -errno;
	if (rl_syscall(SYS_madvise, (long)page, sizeof(*page), MADV_WIPEONFORK, 0) < 0) {
		munmap(page, sizeof(*page));
		return -ENOSYS;
	}
	if (random)
		__builtin_memcpy(&seed, random, sizeof(seed));
	marker = page;
	mark();
	return 0;
}

void rl_marker_remove(void)
{
	munmap(marker, sizeof(*marker));
	marker = NULL;
}

bool rl_marker_in(long memory)
{
	struct marker seen = { 0, 0 };

	return marker && rl_syscall(SYS_pread64, memory, (long)&seen, sizeof(seen), (long)marker) == (long)sizeof(seen) &&
	       seen.ours && seen.process == marker->process;
}

static bool is_marked_process(void)
{
	return rl_syscall(SYS_getpid, 0, 0, 0, 0) == marker->process;
}

enum rl_text_context rl_text_context(void)
{
	if (!marker)
		return RL_TEXT_OK;
	if (!marker->ours) {
		rl_text_after_fork();
		return RL_TEXT_FORK_CHILD;
	}
	/* Twice, because a signal handler may have forked in the middle of the first comparison. */
	return is_marked_process() || is_marked_process() ? RL_TEXT_OK : RL_TEXT_VFORK_CHILD;
}

/* ---- the descriptor ---- */

RL_RAW static bool descriptor_is_ours(void)
{
	return writer.descriptor >= 0 &&
	       rl_syscall(SYS_lseek, writer.descriptor, 0, SEEK_CUR, 0) == writer.position;
}

RL_RAW void rl_writer_close(void)
{
	if (descriptor_is_ours())
		rl_syscall(SYS_close, writer.descriptor, 0, 0, 0);
	writer.descriptor = -1;
}

/* If that fails it is tried again when the next window ends. */
RL_RAW static void close_page(void)
{
	if (open_page && rl_syscall(SYS_mprotect, (long)open_page, PAGE, PROT_READ | PROT_EXEC, 0) == 0)
		open_page = 0;
}

/* Opening waits until the child writes: most never do, and a sandbox may kill for it. */
RL_RAW static void forget_parent(void)
{
	rl_writer_close();
	mark();
}

void rl_text_after_fork(void)
{
	if (!marker)
		return;
	rl_window_after_fork();
	rl_window_open(); /* a filter may trap what asks whose the descriptor is */
	forget_parent();
	close_page();
	rl_window_close();
}

/* Positive, larger than any file, and another one each time. */
RL_RAW static int64_t random_position(void)
{
	struct timespec now = { 0, 0 };
	uint64_t mixed;

	rl_syscall(SYS_clock_gettime, CLOCK_MONOTONIC, (long)&now, 0, 0);
	mixed = seed ^ (uint64_t)now.tv_nsec << 24 ^ (uint64_t)now.tv_sec ^ (uint64_t)marker->process << 40;
	mixed *= UINT64_C(0x9e3779b97f4a7c15);
	return (int64_t)(mixed >> 3 | UINT64_C(1) << 61);
}

RL_RAW static long open_high(void)
{
	long low = rl_syscall(SYS_openat, AT_FDCWD, (long)"/proc/self/mem", O_RDWR | O_CLOEXEC, 0);
	long high;

	if (low == -ESRCH) /* the main thread has ended, and the others are found by their own names alone */
		low = rl_syscall(SYS_openat, AT_FDCWD, (long)"/proc/thread-self/mem", O_RDWR | O_CLOEXEC, 0);
	if (low < 0)
		return low;
	high = aside ? rl_syscall(SYS_fcntl, low, F_DUPFD_CLOEXEC, HIGH_DESCRIPTOR, 0) : -EINVAL;
	if (high < 0 && low >= FIRST_DESCRIPTOR)
		return low;
	if (high < 0)
		high = rl_syscall(SYS_fcntl, low, F_DUPFD_CLOEXEC, FIRST_DESCRIPTOR, 0);
	rl_syscall(SYS_close, low, 0, 0, 0);
	return high;
}

RL_RAW static int open_once(void)
{
	int64_t position = random_position();
	long descriptor = open_high();
	long reached;

	if (descriptor < 0)
		return (int)descriptor;
	reached = rl_syscall(SYS_lseek, descriptor, (long)position, SEEK_SET, 0);
	if (reached != position) {
		rl_syscall(SYS_close, descriptor, 0, 0, 0);
		return reached < 0 ? (int)reached : -EINVAL;
	}
	writer.descriptor = (int)descriptor;
	writer.position = position;
	return 0;
}

RL_RAW int rl_writer_open(void)
{
	int error = -EBADF;

	for (int i = 0; i < PATIENCE && error == -EBADF; i++)
		error = open_once();
	return error;
}

void rl_text_aside(void)
{
	if (!marker)
		return;
	aside = true;
	rl_window_open();
	rl_writer_close();
	rl_window_close();
}

RL_RAW static int ensure_descriptor(void)
{
	if (!marker->ours)
		forget_parent();
	return descriptor_is_ours() ? 0 : rl_writer_open();
}

RL_RAW const char *rl_writer_reason(int error)
{
	switch (-error) {
	case EACCES:
	case EPERM:
		return "/proc/self/mem can't be opened: permission denied (were privileges dropped after start-up?)";
	case ENOENT:
	case ENOTDIR:
		return "/proc/self/mem can't be opened: there is no /proc here (a chroot, or a container without it?)";
	case ENOSYS:
		return "/proc/self/mem can't be opened: a seccomp filter forbids it";
	case EMFILE:
	case ENFILE:
		return "/proc/self/mem can't be opened: too many open files";
	case ENOMEM:
		return "/proc/self/mem can't be opened: out of memory";
	default:
		return "/proc/self/mem can't be opened";
	}
}

/* ---- the window ---- */

RL_RAW int rl_text_begin(const char **why)
{
	int error;

	if (!marker) {
		*why = "no way to write code was found at start-up";
		return -ENOTSUP;
	}
	rl_window_open();
	error = ensure_descriptor();
	if (error < 0) {
		rl_window_close();
		*why = rl_writer_reason(error);
	}
	return error;
}

/* Another thread may close descriptors that it does not know at this very moment. */
RL_RAW static long write_some(const char *from, size_t length, uintptr_t address)
{
	long done = -EBADF;

	for (int i = 0; i < PATIENCE && done == -EBADF; i++) {
		done = i ? ensure_descriptor() : 0;
		if (done == 0)
			done = rl_syscall(SYS_pwrite64, writer.descriptor, (long)from, (long)length, (long)address);
	}
	return done ? done : -EIO;
}

RL_RAW int rl_text_write(uintptr_t address, const void *bytes, size_t length)
{
	const char *from = bytes;
	long done;

	for (; length; from += done, address += (size_t)done, length -= (size_t)done) {
		done = write_some(from, length, address);
		if (done < 0)
			return (int)done;
	}
	return 0;
}

/* Written through the kernel first, by which it becomes a page of ours: there memory that has run out is an error. */
RL_RAW static int make_writable(uintptr_t page)
{
	const uint8_t byte = *(const volatile uint8_t *)page;
	long error;

	close_page();
	if (open_page)
		return -EAGAIN;
	error = rl_text_write(page, &byte, 1);
	if (error == 0)
		error = rl_syscall(SYS_mprotect, (long)page, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, 0);
	if (error == 0)
		open_page = page;
	return (int)error;
}

RL_RAW int rl_text_store(uintptr_t address, const uint8_t bytes[8])
{
	uintptr_t page = address & ~(uintptr_t)(PAGE - 1);
	int error = page == open_page ? 0 : make_writable(page);
	uint64_t word;

	if (error < 0)
		return error;
	__builtin_memcpy(&word, bytes, sizeof(word));
	__atomic_store_n((uint64_t *)address, word, __ATOMIC_RELAXED);
	return 0;
}

RL_RAW void rl_text_end(void)
{
	close_page();
	rl_window_close();
}

RL_RAW bool rl_writer_reads(uintptr_t address, const uint8_t bytes[8])
{
	uint64_t found = 0, wanted;

	__builtin_memcpy(&wanted, bytes, sizeof(wanted));
	rl_syscall(SYS_pread64, writer.descriptor, (long)&found, sizeof(found), (long)address);
	return found == wanted;
}
