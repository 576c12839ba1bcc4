/* SPDX-License-Identifier: MIT */
/* far.h - machine code further away from the program than a direct call reaches. x86-64. */
#ifndef TEST_FAR_H
#define TEST_FAR_H

#include <string.h>
#include <sys/mman.h>

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

/* NULL where the address space has no room. Stays for ever. */
static inline void *far_code(const void *code, size_t size)
{
	static uintptr_t next = 0x100000000000; /* programs and libraries start well above that, or below 4 GiB */
	void *page = mmap((void *)next, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	if (page == MAP_FAILED)
		return NULL;
	next += 4096;
	memcpy(page, code, size);
	return mprotect(page, 4096, PROT_READ | PROT_EXEC) ? NULL : page;
}

#endif
