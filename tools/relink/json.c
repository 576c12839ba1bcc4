/* SPDX-License-Identifier: MIT */
/* json.c - see json.h. */
#include "json.h"

#include <inttypes.h>

#include "text.h"

#define FORMAT 1 /* grows when a key changes its meaning or goes, not when one comes */

static void new_line(struct json *j)
{
	fputc('\n', j->out);
	for (unsigned i = 0; i < j->depth; i++)
		fputs("  ", j->out);
}

static void write_string(struct json *j, const char *s)
{
	fputc('"', j->out);
	while (*s) {
		size_t length = utf8_length(s);

		if (!length) {
			fputs("\\ufffd", j->out);
			s++;
		} else if (length > 1) {
			fwrite(s, 1, length, j->out);
			s += length;
		} else {
			if (*s == '"' || *s == '\\')
				fprintf(j->out, "\\%c", *s);
			else if ((unsigned char)*s < 0x20 || *s == 0x7f)
				fprintf(j->out, "\\u%04x", (unsigned char)*s);
			else
				fputc(*s, j->out);
			s++;
		}
	}
	fputc('"', j->out);
}

static void begin(struct json *j, const char *key)
{
	if (j->depth) {
		if (!j->first)
			fputc(',', j->out);
		new_line(j);
	}
	j->first = false;
	if (key) {
		write_string(j, key);
		fputs(": ", j->out);
	}
}

static void open_list(struct json *j, const char *key, char bracket)
{
	begin(j, key);
	fputc(bracket, j->out);
	j->depth++;
	j->first = true;
}

static void close_list(struct json *j, char bracket)
{
	j->depth--;
	if (!j->first)
		new_line(j);
	fputc(bracket, j->out);
	j->first = false;
	if (!j->depth)
		fputc('\n', j->out);
}

void json_object(struct json *j, const char *key)
{
	open_list(j, key, '{');
}

void json_array(struct json *j, const char *key)
{
	open_list(j, key, '[');
}

void json_end_object(struct json *j)
{
	close_list(j, '}');
}

void json_end_array(struct json *j)
{
	close_list(j, ']');
}

void json_string(struct json *j, const char *key, const char *value)
{
	begin(j, key);
	if (value)
		write_string(j, value);
	else
		fputs("null", j->out);
}

void json_number(struct json *j, const char *key, uint64_t value)
{
	begin(j, key);
	fprintf(j->out, "%" PRIu64, value);
}

void json_signed(struct json *j, const char *key, int64_t value)
{
	begin(j, key);
	fprintf(j->out, "%" PRId64, value);
}

void json_address(struct json *j, const char *key, uint64_t value)
{
	begin(j, key);
	fprintf(j->out, "\"0x%" PRIx64 "\"", value);
}

void json_bool(struct json *j, const char *key, bool value)
{
	begin(j, key);
	fputs(value ? "true" : "false", j->out);
}

void json_bytes(struct json *j, const char *key, const uint8_t *bytes, size_t count)
{
	begin(j, key);
	fputc('"', j->out);
	for (size_t i = 0; i < count; i++)
		fprintf(j->out, "%02x", bytes[i]);
	fputc('"', j->out);
}

void json_begin(struct json *j)
{
	json_object(j, NULL);
	json_string(j, "relink", RELINK_VERSION);
	json_number(j, "format", FORMAT);
}
