/* SPDX-License-Identifier: MIT */
/* far.h - machine code further away from the program than a direct call reaches. x86-64. */
#ifndef TEST_FAR_H
#define TEST_FAR_H

#include <string.h>
#include <sys/mman.h>

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

/* Programs and libraries start well away from these; sanitizers keep some for themselves. */
static const uintptr_t far_places[] = { 0x100000000000, 0x200000000000, 0x300000000000, 0x7e9000000000 };

/* NULL where the address space has no room. Stays for ever. */
static inline void *far_code(const void *code, size_t size)
{
	/* Programs and libraries lie well above these, or below 4 GiB; sanitizers leave one or the other free. */
	static uintptr_t places[] = { 0x100000000000, 0x200000000000, 0x4000000000 };
	void *page = MAP_FAILED;

	for (size_t i = 0; i < sizeof(places) / sizeof(*places) && page == MAP_FAILED; i++, places[i - 1] += 4096)
		page = mmap((void *)places[i], 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	if (page == MAP_FAILED)
		return NULL;
	memcpy(page, code, size);
	return mprotect(page, 4096, PROT_READ | PROT_EXEC) ? NULL : page;
}

#endif
