/* SPDX-License-Identifier: MIT */
/* value.c - see value.h. */
#include "value.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "text.h"

json_t *value_parse(const char *text, size_t length)
{
	json_t *value = json_loadb(text, length, JSON_REJECT_DUPLICATES, NULL);

	if (json_is_object(value))
		return value;
	json_decref(value);
	return NULL;
}

void value_free(json_t *value)
{
	json_decref(value);
}

const json_t *value_member(const json_t *object, const char *key)
{
	return json_object_get(object, key);
}

const char *value_text(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

long long value_number(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

bool value_true(const json_t *object, const char *key)
{
	return json_is_true(json_object_get(object, key));
}

bool value_false(const json_t *object, const char *key)
{
	return json_is_false(json_object_get(object, key));
}

size_t value_count(const json_t *array)
{
	return json_array_size(array);
}

const char *value_text_at(const json_t *array, size_t i)
{
	const char *text = json_string_value(json_array_get(array, i));

	return text ? text : "";
}

bool value_true_at(const json_t *array, size_t i)
{
	return json_is_true(json_array_get(array, i));
}

char *value_pairs(const json_t *object)
{
	char *list = text_format("%s", "");
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)object, key, value) {
		char *longer = json_is_string(value) ? text_format("%s%s%s %s", list, *list ? ", " : "", key, json_string_value(value))
						     : text_format("%s%s%s %lld", list, *list ? ", " : "", key, (long long)json_integer_value(value));

		free(list);
		list = longer;
	}
	return list;
}

enum value_type value_type(const json_t *value)
{
	if (json_is_object(value))
		return VALUE_OBJECT;
	if (json_is_array(value))
		return VALUE_ARRAY;
	if (json_is_string(value))
		return VALUE_STRING;
	if (json_is_boolean(value))
		return VALUE_BOOL;
	return json_is_integer(value) ? VALUE_INTEGER : VALUE_NULL;
}

const char *value_string(const json_t *value)
{
	return json_string_value(value);
}

long long value_integer(const json_t *value)
{
	return json_is_boolean(value) ? json_is_true(value) : json_integer_value(value);
}

void value_each(const json_t *value, void (*visit)(const char *key, const json_t *member, void *ctx), void *ctx)
{
	const char *key;
	json_t *member;

	json_object_foreach((json_t *)value, key, member)
		visit(key, member, ctx);
	for (size_t i = 0; i < json_array_size(value); i++)
		visit(NULL, json_array_get(value, i), ctx);
}

void value_print(const json_t *value)
{
	json_dumpf(value, stdout, JSON_COMPACT);
	putchar('\n');
}
