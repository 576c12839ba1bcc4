/* SPDX-License-Identifier: MIT */
/* index.c - see index.h. rl_index_open() walks everything once; after that lengths are known to be right. */
#include "elf/index.h"

#include <string.h>

#define FNV_START 0xcbf29ce484222325u
#define FNV_PRIME 0x100000001b3u

static uint64_t fnv(uint64_t hash, const uint8_t *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		hash = (hash ^ bytes[i]) * FNV_PRIME;
	return hash;
}

/* The next number, or false: it has no end, or does not fit. */
static bool next_number(const uint8_t **at, const uint8_t *stop, uint64_t *number)
{
	unsigned shift = 0;
	uint8_t byte;

	*number = 0;
	do {
		if (*at == stop || shift > 56)
			return false;
		byte = *(*at)++;
		*number |= (uint64_t)(byte & 0x7f) << shift;
		shift += 7;
	} while (byte & 0x80);
	return true;
}

static const uint8_t *places_of(const struct rl_index *index)
{
	return index->bytes + sizeof(index->head);
}

static const uint8_t *variables_of(const struct rl_index *index)
{
	return places_of(index) + index->head.place_bytes;
}

static bool next_variable(const uint8_t **at, const struct rl_index *index, struct rl_index_variable *variable)
{
	const uint8_t *stop = variables_of(index) + index->head.variable_bytes, *end;
	int32_t distance;

	if (stop - *at < 9)
		return false;
	end = memchr(*at + 8, 0, (size_t)(stop - *at) - 8);
	if (!end)
		return false;
	memcpy(&distance, *at, 4);
	memcpy(&variable->size, *at + 4, 4);
	variable->address = index->address + (uint64_t)(*at - index->bytes) + (uint64_t)(int64_t)distance;
	variable->name = (const char *)*at + 8;
	variable->name_length = (size_t)(end - *at) - 8;
	*at = end + 1;
	return true;
}

/* ---- opening ---- */

static bool places_are_sound(const struct rl_index *index)
{
	const uint8_t *at = places_of(index), *stop = variables_of(index);
	uint64_t difference;

	for (uint32_t i = 0; i < index->head.place_count; i++)
		if (!next_number(&at, stop, &difference) || (i && !difference))
			return false;
	return at == stop;
}

static bool variables_are_sound(const struct rl_index *index)
{
	const uint8_t *at = variables_of(index), *stop = at + index->head.variable_bytes;
	struct rl_index_variable variable;

	for (uint32_t i = 0; i < index->head.variable_count; i++)
		if (!next_variable(&at, index, &variable))
			return false;
	return at == stop;
}

const char *rl_index_open(struct rl_index *index, const void *bytes, size_t size, uint64_t address)
{
	static const char broken[] = "its index is broken";
	uint64_t whole;

	index->bytes = bytes;
	index->address = address;
	if (size < sizeof(index->head))
		return broken;
	memcpy(&index->head, bytes, sizeof(index->head));
	if (memcmp(index->head.magic, RELINK_INDEX_MAGIC, sizeof(index->head.magic)) != 0)
		return broken;
	if (index->head.version != RELINK_INDEX_VERSION)
		return "its index was made by another version of relink";
	whole = (uint64_t)sizeof(index->head) + index->head.place_bytes + index->head.variable_bytes;
	if (index->head.size != size || whole != size || !places_are_sound(index) || !variables_are_sound(index))
		return broken;
	return NULL;
}

/* ---- walking ---- */

int rl_index_each(const struct rl_index *index, rl_place_visitor *visit, void *ctx)
{
	const uint8_t *at = places_of(index), *stop = variables_of(index);
	uint64_t place = index->address + (uint64_t)index->head.base, difference;
	int ret = 0;

	for (uint32_t i = 0; !ret && i < index->head.place_count && next_number(&at, stop, &difference); i++) {
		place += difference;
		ret = visit(place, ctx);
	}
	return ret;
}

int rl_index_each_variable(const struct rl_index *index, int (*visit)(const struct rl_index_variable *variable, void *ctx), void *ctx)
{
	const uint8_t *at = variables_of(index);
	struct rl_index_variable variable;
	int ret = 0;

	for (uint32_t i = 0; !ret && i < index->head.variable_count && next_variable(&at, index, &variable); i++)
		ret = visit(&variable, ctx);
	return ret;
}

/* ---- does it fit the code? ---- */

struct digest {
	rl_index_code *code;
	void *ctx;
	uint64_t hash;
};

static int add_place(uint64_t place, void *ctx)
{
	struct digest *d = ctx;
	const uint8_t *bytes = d->code(place, d->ctx);

	if (!bytes)
		return -1;
	d->hash = fnv(d->hash, bytes, 4);
	return 0;
}

bool rl_index_digest(const struct rl_index *index, rl_index_code *code, void *ctx, uint64_t *digest)
{
	struct digest d = { code, ctx, FNV_START };
	struct relink_index head = index->head;

	head.digest = 0;
	d.hash = fnv(d.hash, (const uint8_t *)&head, sizeof(head));
	d.hash = fnv(d.hash, places_of(index), (size_t)head.place_bytes + head.variable_bytes);
	if (rl_index_each(index, add_place, &d))
		return false;
	*digest = d.hash;
	return true;
}

/* Operands alone: the opcode in front of them may be a debugger's breakpoint, and is compared when a site is bound. */
const char *rl_index_fits(const struct rl_index *index, rl_index_code *code, void *ctx)
{
	uint64_t digest;

	if (!rl_index_digest(index, code, ctx, &digest) || digest != index->head.digest)
		return "its index does not fit its code, one of them was changed: index the linker's output again";
	return NULL;
}
