/* SPDX-License-Identifier: MIT */
/* limits.c - see limits.h. */
#define _GNU_SOURCE
#include "limits.h"
#include "sites.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/membarrier.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PER_PAGE (BENCH_STRIDE < BENCH_PAGE ? BENCH_PAGE / BENCH_STRIDE : 1u)

static unsigned char opcode(int on)
{
	return on ? BENCH_OPCODE_ON : BENCH_OPCODE_OFF;
}

static size_t sites_from(size_t first)
{
	return BENCH_SITES - first < PER_PAGE ? BENCH_SITES - first : PER_PAGE;
}

/* The sites of one page, from the first opcode to the last, in one write. */
static int write_page(int fd, size_t first, int on)
{
	static unsigned char buffer[BENCH_PAGE];
	unsigned char *start = bench_sites + first * BENCH_STRIDE;
	size_t count = sites_from(first), length = (count - 1) * BENCH_STRIDE + 1;

	memcpy(buffer, start, length);
	for (size_t i = 0; i < count; i++)
		buffer[i * BENCH_STRIDE] = opcode(on);
	return pwrite(fd, buffer, length, (off_t)(uintptr_t)start) == (ssize_t)length ? 0 : errno;
}

static int barrier(int command)
{
	return syscall(SYS_membarrier, command, 0, 0) < 0 ? errno : 0;
}

static int mem = -1;

int limit_prepare(void)
{
	mem = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	if (mem < 0)
		return errno;
	return barrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE);
}

int limit_procmem(int on)
{
	for (size_t first = 0; first < BENCH_SITES; first += PER_PAGE) {
		int error = write_page(mem, first, on);

		if (error)
			return error;
	}
	return 0;
}

int limit_procmem_barrier(int on)
{
	int error = limit_procmem(on);

	return error ? error : barrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE);
}

static void store_all(unsigned char *to, int on)
{
	volatile unsigned char *at = to;

	for (size_t i = 0; i < BENCH_SITES; i++)
		at[i * BENCH_STRIDE] = opcode(on);
}

static size_t span(void)
{
	return (BENCH_BYTES + BENCH_PAGE - 1) & ~(size_t)(BENCH_PAGE - 1);
}

int limit_rwx(int on)
{
	if (mprotect(bench_sites, span(), PROT_READ | PROT_WRITE | PROT_EXEC))
		return errno;
	store_all(bench_sites, on);
	return mprotect(bench_sites, span(), PROT_READ | PROT_EXEC) ? errno : 0;
}

/* A copy of the code in a memfd, mapped over the code and once more for writing. */
static int make_alias(unsigned char **alias)
{
	int fd = (int)syscall(SYS_memfd_create, "bench-alias", 0u);
	void *at;

	if (fd < 0 || ftruncate(fd, (off_t)span()))
		return errno;
	at = mmap(NULL, span(), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (at == MAP_FAILED)
		return errno;
	memcpy(at, bench_sites, span());
	if (mmap(bench_sites, span(), PROT_READ | PROT_EXEC, MAP_SHARED | MAP_FIXED, fd, 0) == MAP_FAILED)
		return errno;
	close(fd);
	*alias = at;
	return 0;
}

int limit_alias(int on)
{
	static unsigned char *alias;
	int error = alias ? 0 : make_alias(&alias);

	if (!error)
		store_all(alias, on);
	return error;
}
