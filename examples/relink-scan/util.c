/* SPDX-License-Identifier: MIT */
/* util.c - memory that does not fail, the clock, text for people. */
#include "util.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void die(const char *format, ...)
{
	va_list args;

	fflush(stdout);
	flockfile(stderr);
	fputs("relink-scan: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	funlockfile(stderr);
	exit(EXIT_TROUBLE);
}

void *alloc(size_t count, size_t size)
{
	void *p = calloc(count ? count : 1, size ? size : 1);

	if (!p)
		die("out of memory: %zu times %zu bytes", count, size);
	return p;
}

void *grow(void *old, size_t count, size_t size)
{
	void *p = count > SIZE_MAX / size ? NULL : realloc(old, count * size);

	if (!p)
		die("out of memory: %zu times %zu bytes", count, size);
	return p;
}

char *copy_string(const char *text)
{
	return join(text, "", "");
}

char *join(const char *a, const char *separator, const char *b)
{
	size_t size = strlen(a) + strlen(separator) + strlen(b) + 1;
	char *text = alloc(size, 1);

	snprintf(text, size, "%s%s%s", a, separator, b);
	return text;
}

uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void print_name(FILE *out, const char *name, size_t most)
{
	for (const char *p = name; *p; p++) {
		unsigned char c = (unsigned char)*p;

		if ((size_t)(p - name) >= most) {
			fputs("...", out);
			return;
		}
		if (c < 0x20 || c == 0x7f || c == '\\')
			fprintf(out, "\\%03o", c);
		else
			fputc(c, out);
	}
}

static const char *scaled(char text[SIZE_TEXT], double value, double step, const char *const *units, int last)
{
	int unit = 0;

	while (unit < last && value >= step) {
		value /= step;
		unit++;
	}
	snprintf(text, SIZE_TEXT, unit ? "%.1f %s" : "%.0f %s", value, units[unit]);
	return text;
}

const char *size_text(char text[SIZE_TEXT], uint64_t bytes)
{
	static const char *const units[] = { "bytes", "KiB", "MiB", "GiB", "TiB", "PiB" };

	return scaled(text, (double)bytes, 1024, units, 5);
}

const char *time_text(char text[SIZE_TEXT], double ns)
{
	static const char *const units[] = { "ns", "us", "ms", "s" };

	return scaled(text, ns, 1000, units, 3);
}
