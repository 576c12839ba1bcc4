/* SPDX-License-Identifier: MIT */
/* The reader of indexes: what it says of a sound one, and that nothing else is taken for one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "elf/index.h"

static int failures;

#define CHECK(what) \
	do { \
		if (!(what)) { \
			printf("%s:%d: %s\n", __FILE__, __LINE__, #what); \
			failures++; \
		} \
	} while (0)

#define ADDRESS 0x10000u
static const uint64_t places[] = { 0x2000, 0x2001, 0x2081, 0x6000, 0x100006000 };
static const uint8_t numbers[] = { 0, 1, 0x80, 1, 0xff, 0x7e, 0x80, 0x80, 0x80, 0x80, 0x10 };
static uint8_t code[8] = "abcdefgh";

/* One allocation of exactly that size, so that a sanitizer sees who reads further. */
static uint8_t *sound(size_t *size)
{
	struct relink_index head = { .version = RELINK_INDEX_VERSION, .base = 0x2000 - (int64_t)ADDRESS, .place_count = 5,
				     .place_bytes = sizeof(numbers), .variable_count = 1, .variable_bytes = 13 };
	uint8_t *bytes;
	int32_t distance;
	uint32_t length = 16;

	*size = sizeof(head) + sizeof(numbers) + 13;
	bytes = malloc(*size);
	if (!bytes)
		abort();
	memcpy(head.magic, RELINK_INDEX_MAGIC, 8);
	head.size = (uint32_t)*size;
	memcpy(bytes, &head, sizeof(head));
	memcpy(bytes + sizeof(head), numbers, sizeof(numbers));
	distance = 0x8000 - (int32_t)(ADDRESS + sizeof(head) + sizeof(numbers));
	memcpy(bytes + sizeof(head) + sizeof(numbers), &distance, 4);
	memcpy(bytes + sizeof(head) + sizeof(numbers) + 4, &length, 4);
	memcpy(bytes + sizeof(head) + sizeof(numbers) + 8, "name", 5);
	return bytes;
}

static const uint8_t *code_at(uint64_t place, void *ctx)
{
	(void)ctx;
	return place == places[4] ? code + 4 : code;
}

static const uint8_t *no_code(uint64_t place, void *ctx)
{
	return place == places[3] ? NULL : code_at(place, ctx);
}

static int check_place(uint64_t place, void *ctx)
{
	size_t *i = ctx;

	CHECK(*i < 5 && place == places[*i]);
	++*i;
	return 0;
}

static int stop(uint64_t place, void *ctx)
{
	(void)ctx;
	return place == places[2] ? 7 : 0;
}

static int check_variable(const struct rl_index_variable *v, void *ctx)
{
	CHECK(v->address == 0x8000 && v->size == 16 && v->name_length == 4 && !strcmp(v->name, "name"));
	++*(int *)ctx;
	return 0;
}

static void test_sound(void)
{
	struct rl_index index;
	size_t size, seen = 0;
	uint8_t *bytes = sound(&size);
	uint64_t digest, other;
	int variables = 0;

	CHECK(!rl_index_open(&index, bytes, size, ADDRESS));
	CHECK(!rl_index_each(&index, check_place, &seen) && seen == 5);
	CHECK(rl_index_each(&index, stop, NULL) == 7);
	CHECK(!rl_index_each_variable(&index, check_variable, &variables) && variables == 1);
	CHECK(rl_index_digest(&index, code_at, NULL, &digest) && rl_index_fits(&index, code_at, NULL));
	memcpy(bytes + offsetof(struct relink_index, digest), &digest, sizeof(digest));
	CHECK(!rl_index_open(&index, bytes, size, ADDRESS) && !rl_index_fits(&index, code_at, NULL));
	CHECK(rl_index_fits(&index, no_code, NULL) != NULL);
	code[7] ^= 1;
	CHECK(rl_index_digest(&index, code_at, NULL, &other) && other != digest && rl_index_fits(&index, code_at, NULL));
	code[7] ^= 1;
	free(bytes);
}

/* Whatever is changed: it is refused, or it is read without leaving the allocation. */
static void test_changed(void)
{
	struct rl_index index;
	size_t size;

	for (size_t cut = 0; cut < sizeof(struct relink_index) + sizeof(numbers) + 13; cut++) {
		uint8_t *bytes = sound(&size), *shorter = malloc(cut + 1);

		if (!shorter)
			abort();
		memcpy(shorter, bytes, cut);
		CHECK(rl_index_open(&index, shorter, cut, ADDRESS) != NULL);
		free(shorter);
		free(bytes);
	}
	for (size_t at = 0; at < sizeof(struct relink_index) + sizeof(numbers) + 13; at++) {
		for (unsigned value = 0; value < 256; value += 5) {
			uint8_t *bytes = sound(&size);
			uint64_t digest;

			bytes[at] = (uint8_t)value;
			if (!rl_index_open(&index, bytes, size, ADDRESS))
				rl_index_digest(&index, code_at, NULL, &digest);
			free(bytes);
		}
	}
}

int main(void)
{
	test_sound();
	test_changed();
	return failures != 0;
}
