/* SPDX-License-Identifier: MIT */
/* json.h - writes JSON to a stream. Strings may hold any bytes: those that are no UTF-8 become U+FFFD. */
#ifndef RELINK_TOOL_JSON_H
#define RELINK_TOOL_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct json {
	FILE *out;
	unsigned depth;
	bool first;   /* nothing stands before in this list */
};

/* The outermost object, with the version of the format. */
void json_begin(struct json *j);
/* `key` is NULL in arrays, and for the outermost value. */
void json_object(struct json *j, const char *key);
void json_array(struct json *j, const char *key);
void json_end_object(struct json *j);
void json_end_array(struct json *j);
void json_string(struct json *j, const char *key, const char *value); /* NULL: null */
void json_number(struct json *j, const char *key, uint64_t value);
void json_signed(struct json *j, const char *key, int64_t value);
void json_address(struct json *j, const char *key, uint64_t value); /* "0x401136" */
void json_bool(struct json *j, const char *key, bool value);
void json_bytes(struct json *j, const char *key, const uint8_t *bytes, size_t count); /* "e910000000" */

typedef struct json_t json_t; /* see value.h */
void json_value(struct json *j, const char *key, const json_t *value);

#endif
