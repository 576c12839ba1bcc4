/* SPDX-License-Identifier: MIT */
/* uses.c - what the subject does not have: uses, alternatives on features, targets in other modules, a key without bytes in the file. */
#include <stdio.h>
#include <stdlib.h>

#include <relink/relink.h>
#include <relink/alternative.h>
#include <relink/use.h>

RELINK_KEY_FALSE(debug, "has uses");
static struct { int room[20]; struct relink_key_false key; } elsewhere;
RELINK_NAME_KEY(elsewhere, elsewhere.key, "in_bss", "is zero, and not in the file");
RELINK_DECLARE_CALL(int, size_of, (int x));
static int twice(int x) { return 2 * x; }
RELINK_DEFINE_CALL(size_of, twice, "to another module's function");
RELINK_VARIANT(size_of, abs, .rank = -1);
static int positive(int x) { return x < 0 ? -x : x; }
RELINK_VARIANT(size_of, positive, .needs = RELINK_CPU(never), .rank = -2);
RELINK_DECLARE_CALL(int, back, (int x));
RELINK_DEFINE_CALL(back, abs, "from another module's function");
RELINK_VARIANT(back, twice, .rank = -1);
RELINK_OPTION(level, "has variants", low, high);
RELINK_DRIVE(level, high, debug, "on");

/* Compilers make few of these. */
int jump_if(int x);
__asm__(".pushsection .text\njump_if:\ttest %edi, %edi\n\tjne back\n\tmov $-1, %eax\n\tret\n\t.popsection");

__attribute__((noinline)) int straight(int x)
{
	if (relink_unlikely(debug))
		x += 1000;
	return x + 1;
}

__attribute__((noinline)) static int features(void)
{
	int x;

	RELINK_ALTERNATIVE_2("movl $1, %[x]", "movl $2, %[x]; nop", RELINK_WHEN_HAS(sse3), "movl $3, %[x]", RELINK_WHEN_HAS(avx512ifma),
			     RELINK_OUT([x] "=r"(x)), RELINK_IN(), RELINK_CLOBBERS());
	return x;
}

int main(int argc, char **argv)
{
	struct relink_status s = { .size = sizeof(s) };
	struct relink_error err;
	int first = relink_here(debug, "the first use") ? 1 : 0, second = relink_here(debug, "the second use") ? 1 : 0;
	int code = argc > 1 ? relink_uses_query(argv[1], &err) : 0;

	printf("uses %d %d query %s\n", first, second, relink_code_name(code));
	printf("%s\n", code ? relink_error_text(&err) : "fine");
	printf("straight %d features %d in_bss %d\n", straight(1), features(), relink_unlikely(elsewhere.key) ? 1 : 0);
	printf("size_of %d %d back %d\n", size_of(-5), size_of('a'), back(-5));
	printf("jump_if %d %d\n", jump_if(0), jump_if(-5));
	relink_get_status(&s);
	printf("writes %llu\n%s", (unsigned long long)s.writes, s.notes);
	return 0;
}
