/* SPDX-License-Identifier: MIT */
/* json_value.c - writes what somebody else has written. */
#include "json.h"
#include "value.h"

static void write_member(const char *key, const json_t *member, void *ctx)
{
	json_value(ctx, key, member);
}

void json_value(struct json *j, const char *key, const json_t *value)
{
	switch (value_type(value)) {
	case VALUE_OBJECT:
		json_object(j, key);
		value_each(value, write_member, j);
		json_end_object(j);
		break;
	case VALUE_ARRAY:
		json_array(j, key);
		value_each(value, write_member, j);
		json_end_array(j);
		break;
	case VALUE_BOOL:
		json_bool(j, key, value_integer(value) != 0);
		break;
	case VALUE_INTEGER:
		json_signed(j, key, value_integer(value));
		break;
	default:
		json_string(j, key, value_string(value));
		break;
	}
}
