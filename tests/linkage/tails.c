/* SPDX-License-Identifier: MIT */
/* tails.c - functions that are called through pointers and end with a jump to an exported one: who called does not say where from. */
#include "subject.h"
#include "taken.h"

/* Whoever ends here comes through the slot of `last`, or of `row`, or of `page`. */
#define END(name)                         \
	KEEP int name(int n)              \
	{                                 \
		__asm__ volatile("");     \
		return n * 3;             \
	}
END(last)
END(row)
END(page)

#define LOCAL static __attribute__((noinline, noclone, used))

LOCAL int jumps(int n)
{
	return last(n + 2);
}

#define DEFINE(i)                         \
	LOCAL int t##i(int n)             \
	{                                 \
		return row(n + i);        \
	}
ROWS(DEFINE)
#define ENTRY(i) t##i,
static function *const rows[] = { ROWS(ENTRY) };

/* Each on a page of its own. */
#define ALIGNED(i) __attribute__((aligned(4096))) LOCAL int a##i(int n) { return page(n + i); }
TEN(ALIGNED, 1)
TEN(ALIGNED, 2)
#define ALIGNED_ENTRY(i) a##i,
static function *const pages[] = { TEN(ALIGNED_ENTRY, 1) TEN(ALIGNED_ENTRY, 2) };

LOCAL int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

#ifdef TAKEN
KEEP function *address(void)
{
	return last;
}
#endif

static long call(function *const *table, int count, int times)
{
	long sum = 0;

	for (int i = 0; i < times; i++)
		for (int k = 0; k < count; k++) {
			function *volatile pointer = table[k];

			sum += pointer(i);
		}
	return sum;
}

/* Sorted by the C library, which knows the function by its address alone. No other call is made often. */
static void sort(void)
{
	static char text[256][3], out[256 * 2 + 1];
	char *sorted[256];

	for (int i = 0; i < 256; i++) {
		text[i][0] = (char)('a' + i * 167 % 256 / 16);
		text[i][1] = (char)('a' + i * 167 % 256 % 16);
		sorted[i] = text[i];
	}
	qsort(sorted, 256, sizeof(*sorted), compare);
	for (int i = 0; i < 256; i++) {
		out[2 * i] = sorted[i][0];
		out[2 * i + 1] = sorted[i][1];
	}
	puts(out);
}

KEEP int trap_main(int argc, char **argv)
{
	function *const one[] = { jumps };

	if (is(argc, argv, "one"))
		printf("%ld\n", call(one, 1, 1000));
	else if (is(argc, argv, "row"))
		printf("%ld %ld\n", call(rows, 2, 1000), call(rows, ROW_COUNT, 100));
	else if (is(argc, argv, "pages"))
		printf("%ld\n", call(pages, 20, 1000));
	else
		sort();
	return 0;
}
