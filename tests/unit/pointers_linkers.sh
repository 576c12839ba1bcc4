#!/bin/bash
# SPDX-License-Identifier: MIT
# test: TIMEOUT 1200 NOT generic address undefined thread
# Accelerated pointers with every compiler, linker, model and level here: marked variables have pages of their own although several
# files have some and other data lies around them, calls are found and bound, assignments fault.
set -uo pipefail

source=$RELINK_SOURCE
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
passed=0 failed=0

cat >"$tmp/other.c" <<'END'
#include <relink/relink.h>
extern int around[], (*other_pointer)(int), other_data, *other_address;
int around[3] = { 1, 2, 3 };
static int f(int x) { return x; }
RELINK_POINTER int (*other_pointer)(int) = f;
RELINK_POINTER static int (*unused)(int);
int other_data = 7, *other_address = around;
int other(int x);
int other(int x) { other_data += x; return other_pointer(x) + (unused ? unused(x) : *other_address); }
END

note() {
	if [ "$1" = 0 ]; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "FAILED $2"; [ ! -s "$tmp/log" ] || head -n 5 "$tmp/log"; fi
}

# check NAME PROGRAM COMMAND...
check() {
	local name=$1 test=$2 start stop
	shift 2
	"$@" -g -D_GNU_SOURCE -std=gnu11 -I "$source/include" -I "$source/tests" "$source/tests/behaviour/$test.c" "$tmp/other.c" -o "$tmp/program" \
		"$RELINK_STATIC_LIB" -Wl,--emit-relocs -Wl,-z,now -pthread >"$tmp/log" 2>&1
	note $? "$name: $test does not link"
	[ -x "$tmp/program" ] || return
	read -r start stop < <(nm "$tmp/program" | sed -n 's/^\([0-9a-f]*\) . __start_relink_pointers$/\1/p; s/^\([0-9a-f]*\) . __stop_relink_pointers$/\1/p' | sort | tr '\n' ' ')
	if [ -n "$start" ]; then
		[ "${start: -3}${stop: -3}" = 000000 ]
		note $? "$name: $test: pointers lie from $start to $stop"
	fi
	timeout 60 "$tmp/program" >"$tmp/log" 2>&1
	note $? "$name: $test"
	grep -q "share a page" "$tmp/log"
	[ $? = 1 ]
	note $? "$name: $test: pages are shared"
	rm -f "$tmp/program"
}

for compiler in gcc clang; do
	command -v $compiler >/dev/null || continue
	for linker in bfd lld mold; do
		echo 'int main(void) { return 0; }' | $compiler -fuse-ld=$linker -x c - -o "$tmp/empty" 2>/dev/null || continue
		for model in "-pie -fPIE" "-no-pie -fno-pie" "-static" "-static-pie -fPIE" "-fPIC"; do
			for level in "-O0" "-O2 -DFINAL=RELINK_FINAL" "-Os -DDECLARE=RELINK_TRAPS" "-O2 -Wl,--gc-sections -fdata-sections"; do
				check "$compiler $linker $model $level" pointers $compiler -fuse-ld=$linker $model $level
			done
			check "$compiler $linker $model" pointers_fault $compiler -fuse-ld=$linker $model -O2
		done
	done
done
check "gcc -flto" pointers gcc -O2 -flto -DCOUNTS_VARY -DFINAL=RELINK_FINAL
check "gcc -flto" pointers_fault gcc -O2 -flto
if command -v clang >/dev/null && command -v ld.lld >/dev/null; then
	check "clang -flto" pointers_fault clang -O2 -flto -fuse-ld=lld
	check "clang -flto" pointers clang -O2 -flto -fuse-ld=lld -DCOUNTS_VARY -DDECLARE=RELINK_TRAPS
fi
echo "$passed passed, $failed failed"
[ $failed = 0 ] && [ $passed -gt 0 ]
