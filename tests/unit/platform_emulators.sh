#!/bin/bash
# SPDX-License-Identifier: MIT
# test: NOT address undefined thread
#
# platform_emulators.sh - under valgrind and qemu the bytes change and the code does not: the probe must see that.
set -u

source=${RELINK_SOURCE:-$(cd "$(dirname "$0")/../.." && pwd)}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0
failed=0

for level in -O0 -O2 -O3; do
	${CC:-cc} -std=gnu11 -D_GNU_SOURCE -DRELINK_INTERNAL -I"$source/include" -I"$source/src" $level \
		${RELINK_CFLAGS:-} "$source"/tests/unit/platform_text.c "$source"/src/platform/linux/*.c \
		"$source"/src/elf/relocs.c "$source"/src/arch/*.c -o "$work/program" -pthread || exit 1
	for emulator in "valgrind -q" qemu-x86_64; do
		if ! command -v ${emulator%% *} >/dev/null; then
			echo "skipped: there is no ${emulator%% *}"
		elif output=$($emulator "$work/program" emulated 2>&1); then
			passed=$((passed + 1))
		else
			failed=$((failed + 1))
			echo "failed: $emulator, $level: $output"
		fi
	done
done

echo "$passed passed, $failed failed"
((failed)) && exit 1
((passed)) || exit 77
