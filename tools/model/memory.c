/* SPDX-License-Identifier: MIT */
/* memory.c - arrays, strings and maps. A tool that runs out of memory has nothing left to say but that. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

#define CHUNK 65536

struct chunk {
	struct chunk *next;
	size_t used, size;
	_Alignas(16) char bytes[];
};

struct arena {
	struct chunk *chunks;
};

static void *checked(void *p)
{
	if (p)
		return p;
	fputs("relink: out of memory\n", stderr);
	exit(2);
}

struct arena *arena_new(void)
{
	return checked(calloc(1, sizeof(struct arena)));
}

void arena_free(struct arena *arena)
{
	for (struct chunk *c = arena ? arena->chunks : NULL, *next; c; c = next) {
		next = c->next;
		free(c);
	}
	free(arena);
}

void *arena_take(struct arena *arena, size_t size)
{
	struct chunk *c = arena->chunks;
	void *taken;

	size = (size + 15) & ~(size_t)15;
	if (!c || c->size - c->used < size) {
		size_t room = size > CHUNK ? size : CHUNK;

		c = checked(calloc(1, sizeof(*c) + room));
		c->size = room;
		c->next = arena->chunks;
		arena->chunks = c;
	}
	taken = c->bytes + c->used;
	c->used += size;
	return taken;
}

char *arena_copy(struct arena *arena, const char *s, size_t length)
{
	char *copy = arena_take(arena, length + 1);

	memcpy(copy, s, length);
	return copy;
}

char *arena_format(struct arena *arena, const char *format, ...)
{
	char line[512];
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if (length < 0)
		length = 0;
	return arena_copy(arena, line, (size_t)length < sizeof(line) ? (size_t)length : sizeof(line) - 1);
}

void *grown(void *array, size_t count, size_t *capacity, size_t size)
{
	if (count < *capacity)
		return array;
	*capacity = *capacity ? 2 * *capacity : 16;
	return checked(realloc(array, *capacity * size));
}

/* ---- maps ---- */

static size_t slot_of(const struct map *map, uint64_t key)
{
	size_t i = (size_t)((key * UINT64_C(0x9e3779b97f4a7c15)) >> 20) & (map->capacity - 1);

	while (map->entries[i].used && map->entries[i].key != key)
		i = (i + 1) & (map->capacity - 1);
	return i;
}

static void enlarge(struct map *map)
{
	struct map old = *map;

	map->capacity = old.capacity ? 2 * old.capacity : 64;
	map->entries = checked(calloc(map->capacity, sizeof(*map->entries)));
	for (size_t i = 0; i < old.capacity; i++)
		if (old.entries[i].used)
			map->entries[slot_of(map, old.entries[i].key)] = old.entries[i];
	free(old.entries);
}

void map_put(struct map *map, uint64_t key, uint32_t value)
{
	struct map_entry *entry;

	if (2 * map->count >= map->capacity)
		enlarge(map);
	entry = &map->entries[slot_of(map, key)];
	if (entry->used)
		return;
	*entry = (struct map_entry){ key, value, true };
	map->count++;
}

bool map_get(const struct map *map, uint64_t key, uint32_t *value)
{
	const struct map_entry *entry = map->count ? &map->entries[slot_of(map, key)] : NULL;

	if (!entry || !entry->used)
		return false;
	*value = entry->value;
	return true;
}

void map_free(struct map *map)
{
	free(map->entries);
	*map = (struct map){ 0 };
}

uint64_t hash_of(const char *s, size_t length)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < length; i++)
		hash = (hash ^ (unsigned char)s[i]) * UINT64_C(0x100000001b3);
	return hash;
}
