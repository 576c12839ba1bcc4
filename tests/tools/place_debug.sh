#!/bin/bash
# SPDX-License-Identifier: MIT
# Debuggers, core dumps and profilers name the functions of a program that has been placed. place_debug.sh RUN: calls place_exec.
set -uo pipefail

run=$1
tmp=$(mktemp -d)
pid=""
trap '[ -z "$pid" ] || kill "$pid"; rm -rf "$tmp"' EXIT
[ "$(uname -m)" = x86_64 ] || exit 77
cd "$tmp" || exit 1
failed=0 tested=0
wrong() {
	echo "$*"
	failed=1
}

cat >program.c <<'END'
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
int counter = 4711;
int __attribute__((noinline)) inner(const char *what)
{
	volatile unsigned int sum = 0;

	if (!strcmp(what, "wait")) {
		puts("ready");
		fflush(stdout);
		pause();
	}
	if (!strcmp(what, "abort"))
		abort();
	for (unsigned int i = 0; i < 200000000u; i++)
		sum += i;
	return (int)sum & 1;
}
int main(int argc, char **argv)
{
	return inner(argc > 1 ? argv[1] : "") + counter == 0;
}
END
"$CC" -g -O1 -fPIE -pie program.c -o pie || exit 1
"$CC" -g -O1 -fno-pie -no-pie program.c -o fixed || exit 1

attach() {
	mkfifo ready
	"$run" ./$1 wait >ready &
	pid=$!
	read -r _ <ready
	rm ready
	gdb -nx -q -batch -p "$pid" -ex 'set style enabled off' -ex bt -ex 'print counter' -ex 'info sharedlibrary' -ex "generate-core-file $tmp/core.$1" >out 2>&1
	kill "$pid"
	wait "$pid" 2>/dev/null
	pid=""
	grep -q 'in inner' out && grep -q 'in main' out && grep -q '= 4711' out && grep -q 'libc.so' out || wrong "gdb attached to $1: $(cat out)"
	[ -s core.$1 ] || wrong "gdb writes no core of $1: $(cat out)"
	gdb -nx -q -batch -ex 'set style enabled off' ./$1 core.$1 -ex bt -ex 'print counter' >out 2>&1
	grep -q 'in inner' out && grep -q 'in main' out && grep -q '= 4711' out || wrong "gdb reads a core of $1: $(cat out)"
}

if command -v gdb >/dev/null && gdb -nx -q -batch -ex 'starti' ./fixed >out 2>&1 && grep -q 'Program stopped' out; then
	tested=1
	attach pie
	attach fixed
	# Under a debugger from the start it is not placed, and says so; breakpoints are where they were.
	gdb -nx -q -batch -ex 'set style enabled off' -ex 'set breakpoint pending on' -ex 'break inner' -ex run -ex bt --args "$run" ./pie abort >out 2>&1
	grep -q 'in main' out || wrong "gdb from the start: $(cat out)"
else
	echo "not tested: gdb can't run programs here"
fi

if command -v perf >/dev/null && perf record -q -o data ./fixed >/dev/null 2>&1 && perf report -i data --stdio 2>/dev/null | grep -q inner; then
	tested=1
	for program in pie fixed; do
		perf record -q -o data "$run" ./$program >/dev/null 2>&1
		perf report -i data --stdio >out 2>/dev/null
		grep -q "$program .*inner" out || wrong "perf does not name inner of $program: $(grep -v '^#' out | head -5)"
	done
else
	echo "not tested: perf can't record here"
fi
[ $tested -eq 1 ] || exit 77
exit $failed
