/* SPDX-License-Identifier: MIT */
/*
 * slots.h - which words of a module the loader fills with addresses of functions, from its dynamic section.
 *
 * Only tables that program headers lead to are read, so that a stripped file or a loaded module will do. Any bytes may be
 * given.
 */
#ifndef RL_ELF_SLOTS_H
#define RL_ELF_SLOTS_H

#include "elf/view.h"

enum rl_slot_kind {
	RL_SLOT_JUMP,      /* for stubs alone; may be filled at the first call */
	RL_SLOT_DATA,      /* for calls through it and for whoever wants the address (GLOB_DAT; an ifunc's word that becomes read-only) */
	RL_SLOT_IRELATIVE, /* for stubs alone; a function of the module itself chose */
};

struct rl_slot {
	uint64_t address;  /* of the word, as linked */
	const char *name;  /* "" without one */
	bool defined;      /* the module has such a function itself */
	enum rl_slot_kind kind;
};

/* In the order of the relocations. Stops when visit returns non-zero, and returns that. */
typedef int rl_slot_visitor(const struct rl_slot *slot, void *ctx);
int rl_each_slot(const struct rl_view *view, uint16_t machine, rl_slot_visitor *visit, void *ctx);

#endif
