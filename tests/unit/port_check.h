/* SPDX-License-Identifier: MIT */
/* port_check.h - counts checks, prints those that fail. */
#ifndef TEST_PORT_CHECK_H
#define TEST_PORT_CHECK_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "arch/port.h"

static unsigned long check_passed, check_failed;

__attribute__((format(printf, 2, 3))) static inline bool check(bool ok, const char *format, ...)
{
	va_list args;

	if (ok) {
		check_passed++;
		return true;
	}
	check_failed++;
	va_start(args, format);
	printf("FAILED ");
	vprintf(format, args);
	printf("\n");
	va_end(args);
	return false;
}

static inline int check_summary(void)
{
	printf("%lu passed, %lu failed\n", check_passed, check_failed);
	return check_failed != 0;
}

/* Bytes as text; a few results may be in use at once. */
static inline const char *hex(const uint8_t *bytes, size_t size)
{
	static char texts[8][64];
	static unsigned turn;
	char *text = texts[turn++ % 8], *at = text;

	*at = 0;
	for (size_t i = 0; i < size && i < 20; i++)
		at += sprintf(at, "%02x ", bytes[i]);
	return text;
}

static const char *const kind_name[] = { "branch", "call", "tail", "jcc", "trampoline" };
static const char *const what_name[] = { "fall", "jump", "home", "function", "nothing", "constant", "identity" };
static const char *const fit_name[] = { "fits", "fits not", "too far" };
static const char *const change_name[] = { "same", "opcode", "store", "operand first", "detour", "split" };

#endif
