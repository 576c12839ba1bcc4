/* SPDX-License-Identifier: MIT */
/*
 * json.h - one JSON object a line, into memory that is there: for the agent. What does not fit leaves `full` set, and the
 * caller goes back to the mark. Knows nothing of choices.
 */
#ifndef RL_JSON_H
#define RL_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rl_json {
	char *data;
	size_t used, room;
	bool full;
	bool comma; /* before the next member */
};

void rl_json_begin(struct rl_json *j); /* { */
void rl_json_end(struct rl_json *j);   /* }, and the line's end */
/* Members. In an array `key` is NULL. A NULL string is null. */
void rl_json_string(struct rl_json *j, const char *key, const char *value);
void rl_json_number(struct rl_json *j, const char *key, uint64_t value);
void rl_json_signed(struct rl_json *j, const char *key, int64_t value);
void rl_json_bool(struct rl_json *j, const char *key, bool value);
void rl_json_hex(struct rl_json *j, const char *key, uint64_t value); /* a string, 0x... */
void rl_json_open(struct rl_json *j, const char *key, char bracket); /* { or [ */
void rl_json_close(struct rl_json *j, char bracket);                 /* } or ] */
/* Goes back to where the line began. */
void rl_json_rewind(struct rl_json *j, size_t mark);

#endif
