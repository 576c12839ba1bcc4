/* SPDX-License-Identifier: MIT */
/*
 * check.h - counts checks and prints those that fail, for programs of this directory; C and C++. Any thread.
 *
 *	CHECK(relink_key_enabled(trace));
 *	CHECKF(got == want, "%s: got %d, want %d", name, got, want);
 *	CHECK_CODE(relink_key_enable(trace, &err), RELINK_OK, &err);      // prints the error's text, too
 *	return check_done();
 */
#ifndef TEST_CHECK_H
#define TEST_CHECK_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <relink/relink.h>

#define CHECK_COMPLAINTS 100 /* that are printed */
#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static unsigned long check_passed_, check_failed_;

__attribute__((format(printf, 4, 5), unused))
static bool check_(bool ok, const char *file, int line, const char *format, ...)
{
	va_list args;

	if (ok) {
		__atomic_fetch_add(&check_passed_, 1, __ATOMIC_RELAXED);
		return true;
	}
	if (__atomic_fetch_add(&check_failed_, 1, __ATOMIC_RELAXED) >= CHECK_COMPLAINTS)
		return false;
	flockfile(stdout);
	va_start(args, format);
	printf("%s:%d: FAILED ", file, line);
	vprintf(format, args);
	printf("\n");
	fflush(stdout);
	va_end(args);
	funlockfile(stdout);
	return false;
}

__attribute__((unused))
static bool check_code_(int got, int want, const struct relink_error *err, const char *file, int line, const char *what)
{
	return check_(got == want, file, line, "%s: got %s (%s), want %s", what, relink_code_name(got),
		      got && err && got == err->code ? relink_error_text(err) : "", relink_code_name(want));
}

#define CHECK(cond) check_((cond), __FILE__, __LINE__, "%s", #cond)
#define CHECKF(cond, ...) check_((cond), __FILE__, __LINE__, __VA_ARGS__)
#define CHECK_CODE(got, want, err) check_code_((got), (want), (err), __FILE__, __LINE__, #got)
/* A part of `text` is `part`. */
#define CHECK_HAS(text, part) CHECKF(strstr((text), (part)) != NULL, "\"%s\" says nothing of \"%s\"", (text), (part))

__attribute__((unused)) static int check_done(void)
{
	printf("%lu passed, %lu failed\n", check_passed_, check_failed_);
	return check_failed_ != 0;
}

__attribute__((unused, noreturn)) static void check_skip(const char *why)
{
	printf("skipped: %s\n0 passed, 0 failed\n", why);
	exit(77);
}

/* What the runtime knows, where a check needs an explanation. */
__attribute__((unused)) static void check_print_status(void)
{
	struct relink_status s;

	s.size = sizeof(s);
	if (relink_get_status(&s))
		return;
	printf("mode %s, writer %s, barrier %s, one store %u, traps %u, %u modules, notes: %s\n", s.mode, s.writer, s.barrier, s.one_store,
	       s.traps, s.modules, s.notes);
	for (int kind = 0; kind < RELINK_SITE_KINDS; kind++)
		for (int reason = 0; reason < RELINK_REASONS; reason++)
			if (s.sites[kind][reason])
				printf("%s %s: %llu\n", relink_site_kind_name(kind), relink_reason_name(reason),
				       (unsigned long long)s.sites[kind][reason]);
}

/* False: the system or this build does not let a store change code. */
__attribute__((unused)) static bool check_allow_stores(void)
{
	struct relink_error err;

	return relink_declare(RELINK_WRITABLE_CODE, &err) == RELINK_OK;
}

#endif
