/* SPDX-License-Identifier: MIT */
/* json.c - one JSON object a line; see json.h. */
#include "runtime/json.h"

static void add(struct rl_json *j, const char *bytes, size_t n)
{
	if (j->full || n > j->room - j->used) {
		j->full = true;
		return;
	}
	for (size_t i = 0; i < n; i++)
		j->data[j->used++] = bytes[i];
}

static void add_char(struct rl_json *j, char c)
{
	add(j, &c, 1);
}

/* How many bytes of UTF-8 are here: 1 to 4, or 0: none, so that no reader would take them. */
static size_t character(const unsigned char *s)
{
	size_t n = *s < 0x80 ? 1 : *s >= 0xc2 && *s < 0xe0 ? 2 : *s >= 0xe0 && *s < 0xf0 ? 3 : *s >= 0xf0 && *s < 0xf5 ? 4 : 0;

	for (size_t i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f)) /* too long; half of a pair */
		return 0;
	if ((s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return n;
}

static void add_escape(struct rl_json *j, unsigned char c)
{
	static const char digits[] = "0123456789abcdef";
	const char code[6] = { '\\', 'u', '0', '0', digits[c >> 4], digits[c & 15] };

	add(j, code, sizeof(code));
}

static void add_quoted(struct rl_json *j, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;

	add_char(j, '"');
	while (*s && !j->full) {
		size_t n = character(s);

		if (!n) {
			add(j, "\\ufffd", 6);
			s++;
			continue;
		}
		if (*s == '"' || *s == '\\')
			add_char(j, '\\');
		if (*s < 0x20 || *s == 0x7f)
			add_escape(j, *s);
		else
			add(j, (const char *)s, n);
		s += n;
	}
	add_char(j, '"');
}

static void add_key(struct rl_json *j, const char *key)
{
	if (j->comma)
		add_char(j, ',');
	j->comma = true;
	if (!key)
		return;
	add_quoted(j, key);
	add_char(j, ':');
}

static void add_digits(struct rl_json *j, uint64_t v, unsigned base)
{
	char digits[24];
	size_t n = sizeof(digits);

	do
		digits[--n] = "0123456789abcdef"[v % base];
	while (v /= base);
	add(j, digits + n, sizeof(digits) - n);
}

void rl_json_string(struct rl_json *j, const char *key, const char *value)
{
	add_key(j, key);
	if (value)
		add_quoted(j, value);
	else
		add(j, "null", 4);
}

void rl_json_number(struct rl_json *j, const char *key, uint64_t value)
{
	add_key(j, key);
	add_digits(j, value, 10);
}

void rl_json_signed(struct rl_json *j, const char *key, int64_t value)
{
	add_key(j, key);
	if (value < 0)
		add_char(j, '-');
	add_digits(j, value < 0 ? 0 - (uint64_t)value : (uint64_t)value, 10);
}

void rl_json_bool(struct rl_json *j, const char *key, bool value)
{
	add_key(j, key);
	add(j, value ? "true" : "false", value ? 4 : 5);
}

void rl_json_hex(struct rl_json *j, const char *key, uint64_t value)
{
	add_key(j, key);
	add(j, "\"0x", 3);
	add_digits(j, value, 16);
	add_char(j, '"');
}

void rl_json_open(struct rl_json *j, const char *key, char bracket)
{
	add_key(j, key);
	add_char(j, bracket);
	j->comma = false;
}

void rl_json_close(struct rl_json *j, char bracket)
{
	add_char(j, bracket);
	j->comma = true;
}

void rl_json_begin(struct rl_json *j)
{
	j->comma = false;
	add_char(j, '{');
}

void rl_json_end(struct rl_json *j)
{
	add(j, "}\n", 2);
}

void rl_json_rewind(struct rl_json *j, size_t mark)
{
	j->used = mark;
	j->full = false;
}
