/* SPDX-License-Identifier: MIT */
/* hot_file.c - fuzzes the file of a program's hot calls: any words are one, what is read out of it can be written again and is the same. */
#include <stdlib.h>
#include <string.h>

#include "runtime/linkage_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

#define SPARE 8u /* words: the last file may be one that has no room for another module */

static void fuzz_require(bool condition)
{
	if (!condition)
		abort();
}

static void fuzz_is_inside(const struct rl_hot_file *file, const struct rl_hot_module *m)
{
	const uint8_t *start = (const uint8_t *)file->words, *stop = (const uint8_t *)(file->words + file->count);

	fuzz_require(m->build_id_length <= RL_HOT_BUILD_ID && m->build_id > start && m->build_id + m->build_id_length <= stop);
	fuzz_require(m->count <= file->count && (const uint8_t *)(m->offsets + m->count) <= stop);
}

static void fuzz_copy(struct rl_hot_file *to, const struct rl_hot_module *m)
{
	size_t most = 0;
	uint32_t *offsets = rl_hot_file_begin(to, m->build_id, m->build_id_length, &most);

	fuzz_require(offsets && most >= m->count && most == to->room - to->count - (rl_hot_file_words(m) - m->count));
	memcpy(offsets, m->offsets, m->count * sizeof(*offsets));
	rl_hot_file_end(to, m->count);
	fuzz_require(!rl_hot_file_begin(to, m->build_id, m->build_id_length, &most));
}

/* Written one by one, it is the same. */
static void fuzz_again(const struct rl_hot_file *file)
{
	struct rl_hot_file copy = { .words = malloc((file->count + 1) * sizeof(uint32_t)), .room = file->count };
	struct rl_hot_module m, found;
	size_t modules = 0;

	fuzz_require(copy.words != NULL);
	for (size_t at = 0; rl_hot_file_next(file, &at, &m); modules++) {
		fuzz_is_inside(file, &m);
		fuzz_require(rl_hot_file_find(file, m.build_id, m.build_id_length, &found) && found.offsets == m.offsets && found.count == m.count);
		fuzz_copy(&copy, &m);
	}
	fuzz_require(modules == file->modules && modules == copy.modules && modules <= RL_HOT_MODULES);
	fuzz_require(copy.count == file->count && !memcmp(copy.words, file->words, file->count * sizeof(uint32_t)));
	free(copy.words);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	size_t count = size / sizeof(uint32_t), most;
	struct rl_hot_file file = { .words = malloc((count + SPARE + 1) * sizeof(uint32_t)), .room = count };

	if (!file.words)
		return 0;
	memcpy(file.words, bytes, count * sizeof(uint32_t));
	if (rl_hot_file_take(&file, count))
		fuzz_again(&file);
	else
		fuzz_require(!file.count && !file.modules);
	fuzz_require(!rl_hot_file_take(&file, count + 1));
	file.room = SPARE;
	file.count = 0;
	fuzz_require(rl_hot_file_begin(&file, (const uint8_t *)"four", 4, &most) && most == SPARE - 3);
	free(file.words);
	return 0;
}
