/* SPDX-License-Identifier: MIT */
/*
 * functions.h - where functions begin and end, in modules that may have been stripped.
 *
 * First by the table of .eh_frame_hdr, which nearly all code has; where it says nothing, by the symbols that others may use. Both
 * are read as they are in memory; any bytes may be given.
 */
#ifndef RL_ELF_FUNCTIONS_H
#define RL_ELF_FUNCTIONS_H

#include "elf/view.h"

struct rl_functions {
	const struct rl_view *view;
	const uint8_t *frames; /* pairs of 32-bit distances from `base`: a function, its frame */
	size_t frame_count;
	uint64_t base;
	uint64_t symbols;      /* .dynsym */
	size_t symbol_count;
};

/* Frames alone: symbols have to be counted first. */
void rl_functions_open_frames(struct rl_functions *functions, const struct rl_view *view);
void rl_functions_open(struct rl_functions *functions, const struct rl_view *view);
/* The function that holds an address, by its frame. It ends where another one begins, whatever the frame says. */
bool rl_functions_frame(const struct rl_functions *functions, uint64_t address, uint64_t *start, uint64_t *stop);
/*
 * The same by symbols; looks at all of them. False: none holds it; *start is the next symbol behind the address, or UINT64_MAX.
 * Does not ask whether there is a frame.
 */
bool rl_functions_symbol(const struct rl_functions *functions, uint64_t address, uint64_t *start, uint64_t *stop);

#endif
