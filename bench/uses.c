/* SPDX-License-Identifier: MIT */
/*
 * uses.c - per-use keys: what the first query costs, which sorts the uses of a whole program; later ones; a whole key; memory.
 *
 *	PROGRAM         these
 *	PROGRAM start   see start.h; without touching a use
 */
#include "bench.h"
#include "start.h"
#include "uses.h"

#include <stdio.h>

RELINK_KEY_FALSE(uses_debug, "the key of all uses");
unsigned long uses_logged;
void uses_log(const char *format, ...)
{
	(void)format;
	uses_logged++;
}

#define ROUNDS 41

static struct relink_error err;

static void check(unsigned long expected)
{
	uses_logged = 0;
	uses_all(1);
	if (uses_logged != expected)
		bench_die("uses: %lu of %lu log", uses_logged, expected);
}

static double query(const char *text)
{
	uint64_t start = bench_now();

	if (relink_uses_query(text, &err))
		bench_die("uses: %s: %s", text, relink_error_text(&err));
	return (double)(bench_now() - start) / 1e6;
}

static double whole_key(int on)
{
	uint64_t start = bench_now();

	if (relink_key_set(uses_debug, on, &err))
		bench_die("uses: %s", relink_error_text(&err));
	return (double)(bench_now() - start) / 1e6;
}

static void name(struct bench_series *series, const char *what, const char *unit)
{
	snprintf(series->name, sizeof(series->name), "uses.%s.%lu", what, uses_count);
	series->unit = unit;
}

/* A sample of what `there` costs, and nothing of the way back. */
static void measure(const char *what, const char *there, unsigned long expected)
{
	static struct bench_series series;

	series.n = 0;
	for (int i = 0; i < ROUNDS; i++) {
		bench_add(&series, query(there));
		if (!i)
			check(expected);
		query("-");
	}
	name(&series, what, "ms");
	bench_print(&series);
}

int main(int argc, char **argv)
{
	static struct bench_series first, key, memory;
	struct relink_status status = { .size = sizeof(status) };

	if (bench_start(argc, argv))
		return 0;
	bench_pin_first();
	check(0);
	if (!uses_count)
		return 0;
	bench_add(&first, query("file uses-0.c func uses_0_0 +"));
	name(&first, "first", "ms");
	bench_print(&first);
	check(10);
	query("-");
	measure("one_function", "func uses_0_0 +", 10);
	measure("one_file", "file uses-0.c +", 1000);
	measure("by_text", "format \"* step 7 of *\" +", uses_count / 10);
	measure("all", "+", uses_count);
	for (int i = 0; i < ROUNDS; i++) {
		bench_add(&key, whole_key(1));
		whole_key(0);
	}
	name(&key, "whole_key", "ms");
	bench_print(&key);
	check(0);
	relink_get_status(&status);
	bench_add(&memory, (double)status.memory / (double)uses_count);
	name(&memory, "memory", "bytes");
	bench_print(&memory);
	return 0;
}
