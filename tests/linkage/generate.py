#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
# generate.py SEED DIRECTORY - libraries whose exported functions call each other in every way that compilers know: LIB.c for each of four.
import random
import sys

LIBRARIES, EACH = 4, 50
seed, directory = int(sys.argv[1]), sys.argv[2]
r = random.Random(seed)
count = LIBRARIES * EACH


def callee(n):
    # Only later ones, so that it ends; not all of them near.
    return n + 1 + min(int(r.expovariate(0.08)), count - n - 2)


def argument():
    return r.choice(['a', 'b', 'a + b', 'a ^ 21', 'b - a', str(r.randrange(999))])


def call(n):
    return 'f%d(%s, %s)' % (callee(n), argument(), argument())


def statement(n):
    kind = r.randrange(11)
    if kind == 0:
        return 'if (a & %d) r += %s;' % (1 << r.randrange(6), call(n))
    if kind == 1:
        cases = ' '.join('case %d: r ^= %s; break;' % (i, call(n) if i % 3 == 0 else 'a * %d' % i) for i in range(8))
        return 'switch ((unsigned)(a + b) %% 9) { %s default: r++; }' % cases
    if kind == 2:
        return 'for (int i = 0; i < %d; i++) r += abs((int)(a + i)) & 255;' % r.randrange(1, 9)
    if kind == 3:
        return 'if ((b & 7) == %d) return %s;' % (r.randrange(8), call(n))
    if kind == 4:
        return '{ long (*volatile p)(long, long) = f%d; if (!(a & 15)) r += p(a, 1); }' % callee(n)
    if kind == 5:
        return 'r += (long)strlen(texts[(unsigned)a %% 4]) + (memcmp(texts[0], texts[(unsigned)b %% 4], %d) == 0);' % r.randrange(1, 5)
    if kind == 6:
        return 'r += (long)half((double)(a %% 1000), %d.5f);' % r.randrange(9)
    if kind == 7:
        return 'r += sum_of(3, a, b, %s);' % argument()
    if kind == 8:
        return '{ struct three s = turn((struct three){ a, b, r }); r = s.x ^ s.y + s.z; }'
    if kind == 9:
        return 'local += a; r ^= local;'
    return 'r = r * 31 + %s;' % argument()


def function(n):
    body = [statement(n) for _ in range(r.randrange(1, 6))]
    last = 'return %s;' % call(n) if r.random() < 0.4 and n < count - 2 else 'return r & 0xffffff;'
    return 'long f%d(long a, long b)\n{\n\tlong r = %d;\n\n\tbudget(); if (spent > LIMIT) return a;\n\t%s\n\t%s\n}\n' % (n, n, '\n\t'.join(body), last)


HEADER = '''#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#define LIMIT 3000
struct three { long x, y, z; };
extern long spent;
void budget(void);
double half(double a, float b);
long sum_of(int count, ...);
struct three turn(struct three s);
extern __thread long local;
static const char *const texts[] = { "a", "text", "texts of", "some length" };
''' + ''.join('long f%d(long, long);\n' % i for i in range(count))

SHARED = '''long spent;
__thread long local;
void budget(void) { spent++; }
double half(double a, float b) { return a / 2 + b; }
long sum_of(int count, ...) { va_list l; long s = 0; va_start(l, count); while (count--) s += va_arg(l, long); va_end(l); return s; }
struct three turn(struct three s) { return (struct three){ s.z, s.x, s.y + 1 }; }
'''

MAIN = '''#include <stdio.h>
int trap_main(int argc, char **argv)
{
	unsigned long hash = 1;

	for (long i = 0; i < 800; i++) {
		spent = local = 0;
		hash = hash * 1000003 + (unsigned long)f0(i, i * 7) + (unsigned long)f%d(i, 3) + (unsigned long)f%d(2, i);
	}
	printf("%%lx\\\\n", hash);
	return 0;
}
'''.replace('\\\\\\\\', '\\\\') % (EACH + 3, 2 * EACH + 1)

for library in range(LIBRARIES):
    with open('%s/generated%d.c' % (directory, library), 'w') as f:
        f.write(HEADER)
        for n in range(library * EACH, (library + 1) * EACH):
            f.write(function(n) if n < count - 1 else 'long f%d(long a, long b) { return a - b; }\n' % n)
        if library == LIBRARIES - 1:
            f.write(SHARED)
        if library == 0:
            f.write(MAIN.replace('\\\\n', '\\n'))
