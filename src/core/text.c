/* SPDX-License-Identifier: MIT */
/* text.c - bounded strings without libc. */
#include "core/core.h"

struct rl_text rl_text_into(char *buffer, size_t size)
{
	struct rl_text t = { buffer, size };

	if (size)
		*buffer = 0;
	return t;
}

void rl_text_add_n(struct rl_text *t, const char *s, size_t n)
{
	while (n-- && t->left > 1) {
		*t->at++ = *s++;
		t->left--;
	}
	if (t->left)
		*t->at = 0;
}

void rl_text_add(struct rl_text *t, const char *s)
{
	rl_text_add_n(t, s, rl_length(s));
}

static void add_number(struct rl_text *t, uint64_t v, unsigned base)
{
	char digits[24];
	size_t n = sizeof(digits);

	do
		digits[--n] = "0123456789abcdef"[v % base];
	while (v /= base);
	rl_text_add_n(t, digits + n, sizeof(digits) - n);
}

void rl_text_add_hex(struct rl_text *t, uint64_t v)
{
	rl_text_add(t, "0x");
	add_number(t, v, 16);
}

void rl_text_add_dec(struct rl_text *t, uint64_t v)
{
	add_number(t, v, 10);
}

size_t rl_length(const char *s)
{
	size_t n = 0;

	while (s && s[n])
		n++;
	return n;
}

bool rl_same_n(const char *a, const char *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (a[i] != b[i] || !a[i])
			return false;
	return !a[n];
}

bool rl_same(const char *a, const char *b)
{
	return rl_same_n(a, b, rl_length(b));
}

char *rl_copy_string(struct rl_core *core, const char *s)
{
	size_t n = rl_length(s);
	char *copy = core->hooks->alloc(n + 1);

	if (copy)
		for (size_t i = 0; i < n; i++)
			copy[i] = s[i];
	return copy;
}
