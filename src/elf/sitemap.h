/* SPDX-License-Identifier: MIT */
/*
 * sitemap.h - the calls and jumps of a module that go through its slots: which stubs it has, where its sites are.
 *
 * A stub is code that jumps through a slot (.plt, .plt.sec, .plt.got, whatever linkers call it); a site is a call or jump to a stub, or
 * through a slot. A site counts only if decoding its function from the start comes to an instruction that begins there: bytes that
 * look like one are none. What the port knows is encodings, what this knows is tables; any bytes may be given.
 *
 * Nothing is allocated: the caller gives memory for slots and stubs, and keeps it and the view as long as they are used. All but
 * opening only reads, so that threads may share it.
 */
#ifndef RL_ELF_SITEMAP_H
#define RL_ELF_SITEMAP_H

#include "arch/port.h"
#include "elf/functions.h"
#include "elf/slots.h"

struct rl_sitemap_slot {
	struct rl_slot slot;
	bool read; /* RL_SLOT_JUMP: code may read the word, or take its address, besides calling through it */
};

struct rl_stub {
	uint64_t address;
	size_t slot;       /* its number */
};

struct rl_sitemap {
	const struct rl_view *view;
	const struct rl_port *port;
	struct rl_functions functions;
	struct rl_sitemap_slot *slots; /* by ascending address */
	size_t slot_count;
	struct rl_stub *stubs;         /* by ascending address */
	size_t stub_count, stub_room;
};

struct rl_sitemap_site {
	enum rl_kind kind;   /* RL_CALL, RL_TAIL, RL_POINTER_CALL, RL_POINTER_TAIL */
	uint64_t address;    /* as linked; of the opcode: prefixes in front of it stay */
	uint64_t home;       /* the stub's address, of pointer kinds the slot's */
	const struct rl_sitemap_slot *slot;
};

/* What was found besides sites. */
struct rl_sitemap_counts {
	size_t sites[RL_KINDS];
	size_t left;    /* conditional jumps to stubs, and calls whose prefixes are in the way */
	size_t outside; /* bytes that look like sites, in no function that is known */
	size_t lost;    /* functions whose rest can't be decoded */
};

/* Bytes of memory that opening takes. */
size_t rl_sitemap_size(const struct rl_view *view, const struct rl_port *port);
/* `memory` is as large, and aligned for pointers. */
void rl_sitemap_open(struct rl_sitemap *map, const struct rl_view *view, const struct rl_port *port, void *memory, size_t size);

/* NULL: there is none. */
const struct rl_sitemap_slot *rl_sitemap_slot(const struct rl_sitemap *map, uint64_t address);
const struct rl_stub *rl_sitemap_stub(const struct rl_sitemap *map, uint64_t address);

/* All sites by ascending address. Stops when visit returns non-zero, and returns that. `counts` may be NULL. */
typedef int rl_sitemap_visitor(const struct rl_sitemap_site *site, void *ctx);
int rl_sitemap_each(const struct rl_sitemap *map, rl_sitemap_visitor *visit, void *ctx, struct rl_sitemap_counts *counts);

/* Is there a call or jump at this address that goes to a stub or through a slot? Whether an instruction begins there the caller knows. */
bool rl_sitemap_at(const struct rl_sitemap *map, uint64_t address, struct rl_sitemap_site *site);
/* The function that holds an address. */
bool rl_sitemap_function(const struct rl_sitemap *map, uint64_t address, uint64_t *start, uint64_t *stop);
/* The jumps of that function which go to one slot; returns how many there are, which may be more than there is room for. */
size_t rl_sitemap_tails(const struct rl_sitemap *map, uint64_t start, uint64_t stop, uint64_t slot, struct rl_sitemap_site *sites,
			size_t room);

#endif
