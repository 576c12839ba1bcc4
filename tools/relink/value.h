/* SPDX-License-Identifier: MIT */
/* value.h - JSON that somebody else has written, through jansson. A missing value is NULL, and every function takes it. */
#ifndef RELINK_TOOL_VALUE_H
#define RELINK_TOOL_VALUE_H

#include <stdbool.h>
#include <stddef.h>

typedef struct json_t json_t; /* jansson's; its header has names that json.h has, too */

/* An object, or NULL: the bytes are none. */
json_t *value_parse(const char *text, size_t length);
void value_free(json_t *value);

const json_t *value_member(const json_t *object, const char *key);
const char *value_text(const json_t *object, const char *key); /* "": none, or it is no string */
long long value_number(const json_t *object, const char *key); /* 0: none */
bool value_true(const json_t *object, const char *key);
bool value_false(const json_t *object, const char *key);
/* Texts of an array and whether its members are true; "" and false beyond its end. */
size_t value_count(const json_t *array);
const char *value_text_at(const json_t *array, size_t i);
bool value_true_at(const json_t *array, size_t i);

enum value_type { VALUE_NULL, VALUE_BOOL, VALUE_INTEGER, VALUE_STRING, VALUE_ARRAY, VALUE_OBJECT };
enum value_type value_type(const json_t *value);
const char *value_string(const json_t *value);
long long value_integer(const json_t *value); /* of a bool: 0 or 1 */
void value_each(const json_t *value, void (*visit)(const char *key, const json_t *member, void *ctx), void *ctx);

/* One line on stdout. */
void value_print(const json_t *value);
/* "bound 3, undeclared 1"; to be freed */
char *value_pairs(const json_t *object);
#endif
