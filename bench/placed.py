#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What placement is worth to a program whose own code calls small functions of a library, and what it costs at the start.

placed.py RUN [ROUNDS]: RUN is the program tests/bin/tools.place_run of a build. Prints three tables. Calls are patched by a constructor, with sites
that objdump has found before: the figures are of placement and of direct calls alone, not of what finds and binds them.
"""
import os
import re
import shutil
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

# Binds the executable's calls to what their slots hold, or writes the same pages with what is there.
PRELOAD = """
#include <fcntl.h>
#include <link.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
static int first(struct dl_phdr_info *info, size_t size, void *base)
{
	(void)size;
	*(uintptr_t *)base = info->dlpi_addr;
	return 1;
}
__attribute__((constructor)) static void bind(void)
{
	const char *file = getenv("PLACED_SITES"), *mode = getenv("PLACED_MODE");
	FILE *f = file ? fopen(file, "re") : NULL;
	int memory = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	unsigned long site, slot, bound = 0, all = 0;
	const char *program = getenv("PLACED_PROGRAM");
	uintptr_t base = 0;
	char exe[4096];
	ssize_t size = readlink("/proc/self/exe", exe, sizeof(exe) - 1);

	/* Who starts the program has this library, too. */
	exe[size > 0 ? size : 0] = 0;
	if (!program || strcmp(exe, program))
		return;
	dl_iterate_phdr(first, &base);
	while (f && mode && fscanf(f, "%lx %lx", &site, &slot) == 2) {
		uint8_t *at = (uint8_t *)(base + site);
		int64_t by = (int64_t)(*(uintptr_t *)(base + slot) - (uintptr_t)at - 5);
		int32_t disp;

		all++;
		memcpy(&disp, at + 1, 4);
		if (*at != 0xe8)
			abort();
		if (!strcmp(mode, "direct") && by == (int32_t)by) {
			disp = (int32_t)by;
			bound++;
		}
		if (pwrite(memory, &disp, 4, (off_t)(uintptr_t)at + 1) != 4)
			abort();
	}
	if (f)
		fclose(f);
	if (getenv("PLACED_COUNT"))
		fprintf(stderr, "%lu %lu\\n", bound, all);
	close(memory);
}
"""

STOCK = {
    "perl": ["-e", "my %h; for my $i (1..1500000){ my $s='k'.($i%5000); $h{$s}.=chr(65+$i%26); $h{$s}=substr($h{$s},0,20); }"
                   "my @k=sort keys %h; for(1..200000){ my @a=split /,/, 'a,b,c,d,e,f'; my $j=join '-',@a; $j=~s/b/xx/; }"],
    "python3.11": ["-S", "-c", "import math\nfor i in range(4000000): math.sin(i)\nd={}\nfor i in range(1500000): d[str(i%5000)]=[i,i]"],
    "sqlite3": [":memory:", "create table t(a integer primary key, b text); with recursive n(i) as (select 1 union all select i+1 from n where i<600000) "
                "insert into t select i, printf('%d-%d', i, i*7919%600011) from n; select count(*), sum(length(b)) from t where b like '%77%';"],
    "git": ["log", "--oneline", "--stat", "-n", "400"],
    "xz": ["-k", "-c", "-6", "INPUT"],
}


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


def median_of(values, digits=2):
    """The median, and the range of the middle half."""
    if not all(isinstance(v, float) for v in values):
        return "out of reach" if all(v == "out of reach" for v in values) else "mixed"
    low, middle, high = statistics.quantiles(values, n=4)
    return f"{middle:.{digits}f} [{low:.{digits}f}..{high:.{digits}f}]"


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
            print(f"| {kind} | {sites} |", " | ".join(median_of(v) for v in got), "|", flush=True)


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


def sites_of(program):
    """Calls of stubs, and the slots that these jump through."""
    slots = {}
    out = subprocess.run(["readelf", "-rW", program], check=True, capture_output=True, text=True).stdout
    for line in out.splitlines():
        fields = line.split()
        if len(fields) > 4 and fields[2] in ("R_X86_64_JUMP_SLO", "R_X86_64_JUMP_SLOT", "R_X86_64_GLOB_DAT"):
            slots.setdefault(fields[4].split("@")[0], fields[0])
    out = subprocess.run(["objdump", "-d", "--no-show-raw-insn", program], check=True, capture_output=True, text=True).stdout
    for site, name in re.findall(r"^ *([0-9a-f]+):\s+call +[0-9a-f]+ <(\w+)@plt>", out, re.M):
        if name in slots:
            yield site, slots[name]


def seconds(arguments, environment):
    """CPU time in user mode."""
    pid = os.fork()
    if not pid:
        null = os.open("/dev/null", os.O_RDWR)
        for fd in range(3):
            os.dup2(null, fd)
        os.execve(arguments[0], arguments, environment)
    _, status, usage = os.wait4(pid, 0)
    if status:
        sys.exit(f"{arguments}: status {status:#x}")
    return usage.ru_utime


def stock(run, folder, rounds):
    print("\nstock programs, their executable's own calls: CPU time in user mode over that as started with the same pages rewritten,")
    print("median and middle half of", rounds, "interleaved runs\n")
    print("| program | sites | bound as started | bound placed | s | as started: the same | placed: stubs | placed: direct |")
    print("|---|--:|--:|--:|--:|--:|--:|--:|")
    preload = os.path.join(folder, "preload.so")
    with open(preload + ".c", "w", encoding="ascii") as f:
        f.write(PRELOAD)
    subprocess.run([os.environ.get("CC", "gcc"), "-O1", "-D_GNU_SOURCE", "-shared", "-fPIC", preload + ".c", "-o", preload], check=True)
    data = os.path.join(folder, "INPUT")
    with open(data, "wb") as f:
        for name in sorted(os.listdir("/usr/bin"))[:200]:
            path = os.path.join("/usr/bin", name)
            if os.path.isfile(path):
                with open(path, "rb") as g:
                    f.write(g.read(20000))
    for name, arguments in STOCK.items():
        program = shutil.which(name, path="/usr/bin:/bin")
        if not program:
            continue
        program = os.path.realpath(program)
        sites = os.path.join(folder, name + ".sites")
        with open(sites, "w", encoding="ascii") as f:
            f.writelines(f"{site} {slot}\n" for site, slot in sites_of(program))
        environment = dict(os.environ, LD_BIND_NOW="1", LD_PRELOAD=preload, PLACED_SITES=sites, PLACED_COUNT="1", PLACED_MODE="direct", PLACED_PROGRAM=program)
        call = [program, *(data if a == "INPUT" else a for a in arguments)]
        counts = [subprocess.run(form + call, env=environment, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                 text=True).stderr.splitlines()[0].split() for form in ([run, "-n"], [run])]
        del environment["PLACED_COUNT"]
        forms = [(["-n"], "same"), (["-n"], "same"), ([], "same"), ([], "direct")]
        got = [[] for _ in forms]
        for _ in range(rounds):
            for (options, mode), values in zip(forms, got):
                values.append(seconds([run, *options, *call], dict(environment, PLACED_MODE=mode)))
        ratios = [median_of([b / a for a, b in zip(got[0], values)], 3) for values in got[1:]]
        print(f"| {name} | {counts[0][1]} | {counts[0][0]} | {counts[1][0]} | {statistics.median(got[0]):.2f} |", " | ".join(ratios), "|", flush=True)


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    run = os.path.abspath(sys.argv[1])
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 21
    with tempfile.TemporaryDirectory() as folder:
        calls(run, folder, rounds)
        starts(run, folder, max(rounds * 5, 5))
        stock(run, folder, rounds)


if __name__ == "__main__":
    main()
