/* SPDX-License-Identifier: MIT */
/*
 * linkage_file.h - the hot calls of a program: what is in its file, in memory.
 *
 * For each module: the length of its build-id, the number of calls, the build-id, filled up with zeros to a whole word, and a word for
 * each call: its offset in the module's text. Knows neither the process nor the cache; allocates nothing; any words may be the file.
 */
#ifndef RL_LINKAGE_FILE_H
#define RL_LINKAGE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RL_HOT_BUILD_ID 32u  /* bytes of a build-id, at most; 0 is the program itself, when it has none */
#define RL_HOT_MODULES 1024u /* in one file */

struct rl_hot_file {
	uint32_t *words;
	size_t room, count; /* words */
	size_t modules;
};

struct rl_hot_module {
	const uint8_t *build_id;
	size_t build_id_length;
	const uint32_t *offsets; /* in the file */
	size_t count;
};

/* Counts what stands in the first `count` words. False, and it is empty: they say something that no file says. */
bool rl_hot_file_take(struct rl_hot_file *file, size_t count);
/* One after the other, from *at = 0 on. */
bool rl_hot_file_next(const struct rl_hot_file *file, size_t *at, struct rl_hot_module *module);
bool rl_hot_file_find(const struct rl_hot_file *file, const uint8_t *build_id, size_t length, struct rl_hot_module *module);
size_t rl_hot_file_words(const struct rl_hot_module *module); /* that it takes */
/* Where the offsets of one module more can be written, *most of them. NULL: it is in the file, or there is no room. */
uint32_t *rl_hot_file_begin(struct rl_hot_file *file, const uint8_t *build_id, size_t length, size_t *most);
void rl_hot_file_end(struct rl_hot_file *file, size_t count); /* so many have been */

#endif
