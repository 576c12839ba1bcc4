/* SPDX-License-Identifier: MIT */
/*
 * index.h - reads the table that `relink index` leaves in a file, see relink/abi.h.
 *
 * The bytes may be anything: nothing outside of them is read, and what does not fit together is refused as a whole.
 */
#ifndef RL_ELF_INDEX_H
#define RL_ELF_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <relink/abi.h>

struct rl_index {
	const uint8_t *bytes;
	uint64_t address; /* of its first byte; places are counted from there */
	struct relink_index head;
};

/* The four bytes at a place, NULL if that is no place of the module's code. */
typedef const uint8_t *rl_index_code(uint64_t place, void *ctx);

/* Takes in `size` bytes that will lie at `address`. NULL, or what is wrong with them, for a person. */
const char *rl_index_open(struct rl_index *index, const void *bytes, size_t size, uint64_t address);
/* NULL if the index is about this code, or why it is not. */
const char *rl_index_fits(const struct rl_index *index, rl_index_code *code, void *ctx);
/* What the digest of these bytes and this code is. False: a place is not in the code. */
bool rl_index_digest(const struct rl_index *index, rl_index_code *code, void *ctx, uint64_t *digest);

/* Visits places in ascending order. Stops when visit returns non-zero, and returns that. */
typedef int rl_place_visitor(uint64_t place, void *ctx);
int rl_index_each(const struct rl_index *index, rl_place_visitor *visit, void *ctx);

struct rl_index_variable {
	uint64_t address;
	uint32_t size;
	const char *name;
	size_t name_length;
};
/* The same for the variables that are accelerated pointers. */
int rl_index_each_variable(const struct rl_index *index, int (*visit)(const struct rl_index_variable *variable, void *ctx), void *ctx);

#endif
