/* SPDX-License-Identifier: MIT */
/*
 * change.h - a copy of a file in which bytes and words are changed. Addresses are those of the file; what is not in it is not written.
 *
 * A word may be one that the loader fills: then it is the relocation that is changed.
 */
#ifndef RELINK_MODEL_CHANGE_H
#define RELINK_MODEL_CHANGE_H

#include "internal.h"

struct change {
	const struct model *model;
	uint8_t *bytes; /* the copy */
	struct rela { uint64_t place; size_t at; } *relas; /* of the loader, by place; where their entries are in the file */
	size_t rela_count, rela_capacity;
	struct map packed; /* places of relocations that have no entry of their own (RELR) */
};

/* False: out of memory. */
bool change_begin(struct change *change, const struct model *model);
/* Gives up what is not taken: the caller takes the copy by setting `bytes` to NULL. */
void change_end(struct change *change);

/* The bytes at an address in the copy; NULL unless `count` of them are in the file. */
uint8_t *change_at(const struct change *change, uint64_t address, size_t count);
bool change_bytes(const struct change *change, uint64_t address, const uint8_t *bytes, size_t count);
bool change_32(const struct change *change, uint64_t address, uint32_t value);
bool change_64(const struct change *change, uint64_t address, uint64_t value);
void put32(uint8_t *p, uint32_t value);
void put64(uint8_t *p, uint64_t value);

/* Is the word at this place decided by who loads the file: an address in another module, or one that another module may come before? */
bool change_is_open(const struct change *change, uint64_t place);
/* Is the object at this place a copy of another module's, which the loader makes? */
bool change_is_copied(const struct change *change, uint64_t place);
/* The word at `place` leads to an address of this file; NULL, or why it can't. */
const char *change_lead(struct change *change, uint64_t place, uint64_t address);
/* The word at `place` becomes what the word at `like` is. */
const char *change_lead_like(struct change *change, uint64_t place, uint64_t like);

#endif
