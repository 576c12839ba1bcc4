/* SPDX-License-Identifier: MIT */
/* util.h - memory that does not fail, the clock, text for people. */
#ifndef SCAN_UTIL_H
#define SCAN_UTIL_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { EXIT_DIFFERENT = 1, EXIT_TROUBLE = 2 };

/* "relink-scan: ...", one line on stderr, status EXIT_TROUBLE. */
_Noreturn void die(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Never NULL. */
void *alloc(size_t count, size_t size);
void *grow(void *old, size_t count, size_t size);
char *copy_string(const char *text);
char *join(const char *a, const char *separator, const char *b);

uint64_t now_ns(void);

/* A name on one line: control characters and backslashes as \ooo, "..." for what goes beyond `most` bytes. */
void print_name(FILE *out, const char *name, size_t most);

/* 1536 as "1.5 KiB". The text lives in the caller's buffer. */
#define SIZE_TEXT 32
const char *size_text(char text[SIZE_TEXT], uint64_t bytes);
/* 12345 ns as "12.3 us". */
const char *time_text(char text[SIZE_TEXT], double ns);

#endif
