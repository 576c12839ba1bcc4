/* SPDX-License-Identifier: MIT */
/*
 * view.h - the bytes of a module by the addresses that it was linked at, whether it is a file or loaded.
 *
 * What is in the headers is taken from program headers alone, which every module has at run time. Any bytes may be given:
 * nothing outside of the segments is read.
 */
#ifndef RL_ELF_VIEW_H
#define RL_ELF_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RL_VIEW_PIECES 16 /* more loaded segments than any linker makes */

struct rl_piece {
	uint64_t address, size; /* as linked; of what is in the file */
	const uint8_t *bytes;
	uint32_t flags;         /* PF_ */
};

struct rl_view {
	struct rl_piece pieces[RL_VIEW_PIECES];
	size_t count;
	uint64_t bias; /* what is to be taken off pointers in the dynamic section, which a loader may have relocated */
	uint64_t dynamic, dynamic_size; /* PT_DYNAMIC; size 0: none */
	uint64_t unwind, unwind_size;   /* PT_GNU_EH_FRAME */
	uint64_t relro, relro_size;     /* PT_GNU_RELRO */
};

/* Of a whole file in memory. False: *why says what is wrong, for a person. */
bool rl_view_file(struct rl_view *view, const void *data, size_t size, const char **why);
/* Of a module that is loaded: its program headers, and what its addresses are shifted by. False: it is none that can be looked at. */
bool rl_view_loaded(struct rl_view *view, const void *headers, size_t count, uint64_t bias);

/* `size` bytes at an address, in one segment that has all these PF_ flags. NULL: they are not there. */
const uint8_t *rl_view_at(const struct rl_view *view, uint64_t address, uint64_t size, uint32_t flags);
/* The value of the first dynamic entry with this tag; pointers as linked. False: none. */
bool rl_view_dynamic(const struct rl_view *view, int64_t tag, bool pointer, uint64_t *value);
/* The executable piece that holds an address. NULL: none does. */
const struct rl_piece *rl_view_code(const struct rl_view *view, uint64_t address);

#endif
