#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What placement is worth to a program whose own code calls small functions of a library, and what it costs at the start.

placed.py RUN [ROUNDS]: RUN is the program tests/bin/tools.place_run of a build. Prints two tables. The program patches its own calls when it is told to:
the figures are of placement and of direct calls alone, not of what finds and binds them.
"""
import os
import statistics
import subprocess
import sys
import tempfile
import time

LIBRARY = """
#define F(n) __asm__(".globl f" #n "\\n.type f" #n ",@function\\nf" #n ": lea 1(%rdi),%rax\\nret\\n.size f" #n ",.-f" #n);
"""

PROGRAM = """
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct site { uintptr_t at, target; };
extern const struct site __start_sites[], __stop_sites[];
#define CALL(n) __asm__ volatile("1: call f" #n "@PLT\\n.pushsection sites,\\"aw\\"\\n.quad 1b, f" #n "\\n.popsection" \\
	: "=a"(x) : "D"(x) : "rcx", "rdx", "rsi", "r8", "r9", "r10", "r11", "memory", "cc");

static uint64_t __attribute__((noinline)) pass(uint64_t x)
{
%s
	return x;
}

/* As relink writes code: the text stays read-execute. */
static int bind(void)
{
	int memory = open("/proc/self/mem", O_RDWR);

	for (const struct site *s = __start_sites; s < __stop_sites; s++) {
		int64_t by = (int64_t)(s->target - (s->at + 5));
		int32_t disp = (int32_t)by;

		if (by != disp)
			return 0;
		if (pwrite(memory, &disp, 4, (off_t)s->at + 1) != 4)
			exit(1);
	}
	return 1;
}

int main(int argc, char **argv)
{
	size_t sites = (size_t)(__stop_sites - __start_sites), passes = 100000000 / sites;
	struct timespec a, b;
	uint64_t x = 0;

	if (argc > 1 && !bind())
		return puts("out of reach"), 0;
	for (size_t i = 0; i < passes / 10; i++)
		x = pass(x);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
	x = 0;
	for (size_t i = 0; i < passes; i++)
		x = pass(x);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
	if (x != passes * sites)
		return 1;
	printf("%%.3f\\n", ((double)(b.tv_sec - a.tv_sec) * 1e9 + (double)(b.tv_nsec - a.tv_nsec)) / (double)x);
	return 0;
}
"""


def build(folder, sites, kind, flags):
    name = os.path.join(folder, f"{kind}{sites}")
    with open(name + "-lib.c", "w", encoding="ascii") as f:
        f.write(LIBRARY + "\n".join(f"F({i})" for i in range(sites)) + "\n")
    with open(name + ".c", "w", encoding="ascii") as f:
        f.write(PROGRAM % "\n".join(f"\tCALL({i})" for i in range(sites)))
    cc = os.environ.get("CC", "gcc")
    subprocess.run([cc, "-O1", "-shared", "-fPIC", name + "-lib.c", "-o", name + ".so"], check=True)
    # Lazy binding is not what is measured.
    subprocess.run([cc, "-O1", "-D_GNU_SOURCE", "-mno-red-zone", "-Wl,-z,now", *flags, name + ".c", name + ".so", "-o", name], check=True)
    return name


def median_of(values):
    """The median, and the range of the middle half."""
    if not all(isinstance(v, float) for v in values):
        return "out of reach" if all(v == "out of reach" for v in values) else "mixed"
    low, middle, high = statistics.quantiles(values, n=4)
    return f"{middle:.2f} [{low:.2f}..{high:.2f}]"


def number(text):
    text = text.strip()
    return text if text == "out of reach" else float(text)


def calls(run, folder, rounds):
    print("ns per call, median and middle half of", rounds, "interleaved runs\n")
    print("| program | sites | as started: stub | as started: direct | placed: stub | placed: direct |")
    print("|---|--:|--:|--:|--:|--:|")
    for kind, flags in (("PIE", ["-fPIE", "-pie"]), ("fixed", ["-fno-pie", "-no-pie"])):
        for sites in (1, 64, 1024, 8192):
            program = build(folder, sites, kind, flags)
            forms = [["-n", program], ["-n", program, "direct"], [program], [program, "direct"]]
            got = [[] for _ in forms]
            for _ in range(rounds):
                for form, values in zip(forms, got):
                    out = subprocess.run([run, *form], check=True, capture_output=True, text=True).stdout
                    values.append(number(out))
            print(f"| {kind} | {sites} |", " | ".join(median_of(v) for v in got), "|")


def starts(run, folder, rounds):
    print("\nms from fork to end of a program that does nothing, of", rounds, "interleaved runs\n")
    print("| program | as started | placed | more |")
    print("|---|--:|--:|--:|")
    source = os.path.join(folder, "nothing.c")
    with open(source, "w", encoding="ascii") as f:
        f.write("int main(void) { return 0; }\n")
    for kind, flags in (("PIE", ["-fPIE", "-pie"]), ("fixed", ["-fno-pie", "-no-pie"])):
        program = os.path.join(folder, "nothing" + kind)
        subprocess.run([os.environ.get("CC", "gcc"), *flags, source, "-o", program], check=True)
        got = [[], []]
        for _ in range(rounds):
            for i, form in enumerate((["-n", program], [program])):
                begin = time.perf_counter()
                subprocess.run([run, *form], check=True)
                got[i].append((time.perf_counter() - begin) * 1e3)
        more = statistics.median(b - a for a, b in zip(*got))
        print(f"| {kind} | {median_of(got[0])} | {median_of(got[1])} | {more:.2f} |")


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    run = os.path.abspath(sys.argv[1])
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 21
    with tempfile.TemporaryDirectory() as folder:
        calls(run, folder, rounds)
        starts(run, folder, max(rounds * 5, 5))


if __name__ == "__main__":
    main()
