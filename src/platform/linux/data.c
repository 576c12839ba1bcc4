/* SPDX-License-Identifier: MIT */
/* data.c - pages of data that are read-only most of the time. */
#include "../platform.h"
#include "system.h"

#include <sys/mman.h>

/* In the window a filter that would kill for mprotect makes it an error. Outside of rl_text_begin .. rl_text_end only. */
int rl_data_protect(uintptr_t start, uintptr_t stop, bool writable)
{
	long r;

	rl_window_open();
	r = rl_syscall(SYS_mprotect, (long)start, (long)(stop - start), writable ? PROT_READ | PROT_WRITE : PROT_READ, 0);
	rl_window_close();
	return (int)r;
}
