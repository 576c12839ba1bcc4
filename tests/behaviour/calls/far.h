/* SPDX-License-Identifier: MIT */
/* far.h - machine code further away from the program than a direct call reaches. x86-64. */
#ifndef TEST_FAR_H
#define TEST_FAR_H

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

/* NULL where the address space has no room. Stays for ever. */
static inline void *far_code(const void *code, size_t size)
{
	/* A program lies below libraries and what the kernel places, as a rule; else well above the second, or above 4 GiB. */
	static uintptr_t places[] = { 0, 0x100000000000 };
	uintptr_t here = (uintptr_t)far_code;

	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		char *page = mmap((void *)places[i], 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		uintptr_t distance = (uintptr_t)page > here ? (uintptr_t)page - here : here - (uintptr_t)page;

		if (page == MAP_FAILED || distance < 0x100000000)
			continue;
		memcpy(page, code, size);
		return mprotect(page, 4096, PROT_READ | PROT_EXEC) ? NULL : page;
	}
	return NULL;
}

#endif
