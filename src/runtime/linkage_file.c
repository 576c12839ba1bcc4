/* SPDX-License-Identifier: MIT */
/* linkage_file.c - see linkage_file.h. */
#include "runtime/linkage_file.h"

#include <string.h>

#define HEAD 2u /* words: length of the build-id, number of calls */

static size_t words_of(size_t bytes)
{
	return (bytes + sizeof(uint32_t) - 1) / sizeof(uint32_t);
}

size_t rl_hot_file_words(const struct rl_hot_module *module)
{
	return HEAD + words_of(module->build_id_length) + module->count;
}

/* What is behind the build-id may be another one's. */
static bool is_filled_up(const uint8_t *build_id, size_t length)
{
	for (size_t i = length; i < words_of(length) * sizeof(uint32_t); i++)
		if (build_id[i])
			return false;
	return true;
}

bool rl_hot_file_next(const struct rl_hot_file *file, size_t *at, struct rl_hot_module *module)
{
	size_t left = file->count - *at;
	const uint32_t *words = file->words + *at;

	if (left < HEAD || words[0] > RL_HOT_BUILD_ID || left - HEAD < words_of(words[0]) || words[1] > left - HEAD - words_of(words[0]))
		return false;
	module->build_id = (const uint8_t *)(words + HEAD);
	module->build_id_length = words[0];
	module->offsets = words + HEAD + words_of(words[0]);
	module->count = words[1];
	*at += rl_hot_file_words(module);
	return is_filled_up(module->build_id, module->build_id_length);
}

/* Of what has been looked at: all modules are looked for among all others, at every start. */
bool rl_hot_file_find(const struct rl_hot_file *file, const uint8_t *build_id, size_t length, struct rl_hot_module *module)
{
	for (size_t at = 0; at < file->count;) {
		const uint32_t *words = file->words + at;

		if (words[0] == length && !memcmp(words + HEAD, build_id, length))
			return rl_hot_file_next(file, &at, module);
		at += HEAD + words_of(words[0]) + words[1];
	}
	return false;
}

static bool is_sound(struct rl_hot_file *file, size_t count)
{
	struct rl_hot_module module, twin;
	size_t at = 0;

	while (at < count) {
		struct rl_hot_file before = { .words = file->words, .count = at };

		file->count = count;
		if (file->modules++ == RL_HOT_MODULES || !rl_hot_file_next(file, &at, &module) ||
		    rl_hot_file_find(&before, module.build_id, module.build_id_length, &twin))
			return false;
	}
	file->count = count;
	return true;
}

bool rl_hot_file_take(struct rl_hot_file *file, size_t count)
{
	file->modules = 0;
	if (count <= file->room && is_sound(file, count))
		return true;
	file->count = file->modules = 0;
	return false;
}

uint32_t *rl_hot_file_begin(struct rl_hot_file *file, const uint8_t *build_id, size_t length, size_t *most)
{
	size_t head = HEAD + words_of(length), left = file->room - file->count;
	uint32_t *words = file->words + file->count;
	struct rl_hot_module twin;

	if (length > RL_HOT_BUILD_ID || left < head || file->modules == RL_HOT_MODULES || rl_hot_file_find(file, build_id, length, &twin))
		return NULL;
	words[0] = (uint32_t)length;
	memset(words + HEAD, 0, (head - HEAD) * sizeof(*words));
	memcpy(words + HEAD, build_id, length);
	*most = left - head;
	return words + head;
}

void rl_hot_file_end(struct rl_hot_file *file, size_t count)
{
	uint32_t *words = file->words + file->count;

	words[1] = (uint32_t)count;
	file->count += HEAD + words_of(words[0]) + count;
	file->modules++;
}
