#!/bin/bash
# test: NOT generic address undefined thread
# SPDX-License-Identifier: MIT
# Programs that notice threads, by every compiler, linker and model: what libraries and plugins call leads to the program's own, and
# what is in an instruction's place is a lock prefix in front of what it was. Linked as the documentation says, without cmake.
set -uo pipefail

lib=$(dirname "$RELINK_STATIC_LIB")
here=$RELINK_SOURCE/tests/behaviour
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
passed=0 failed=0 skipped=0
wrap=$(sed -n 's/^static_options=//p' "$RELINK_SOURCE/relink-locks.pc.in")

# one NAME COMPILER LINKER SOURCE LIBRARY FLAG...
one() {
	local name="$*" cc=$1 linker=$2 file=$3 library=$4 out
	shift 4
	if ! command -v "$cc" >/dev/null || ! command -v "$([ "$linker" = mold ] && echo mold || echo "ld.$linker")" >/dev/null; then
		echo "$name: skipped" && skipped=$((skipped + 1)) && return
	fi
	if out=$({
		"$cc" -std=gnu11 -D_GNU_SOURCE -O2 "-DRELINK_TEST_PLUGINS=\"$(dirname "$RELINK_TEST_BIN")/plugins\"" -I "$RELINK_SOURCE/include" \
			"$@" "-fuse-ld=$linker" "$here/$file" -L "$lib" "-l$library" "$RELINK_STATIC_LIB" -Wl,-u,relink_watches_threads \
			-Wl,--emit-relocs -Wl,-z,now -pthread -ldl -o "$tmp/program" && timeout 60 "$tmp/program"
	} 2>&1); then
		passed=$((passed + 1))
	else
		echo "$name: FAIL"$'\n'"$(tail -n 5 <<<"$out")" && failed=$((failed + 1))
	fi
}

for cc in gcc clang; do
	for linker in bfd lld mold; do
		one $cc $linker locks_nopie.c relink_locks -fPIE -pie
		one $cc $linker locks_nopie.c relink_locks -fno-pie -no-pie
		one $cc $linker locks_nopie.c relink_locks -fPIE -pie -Wl,--gc-sections
		one $cc $linker locks_static.c relink_locks_static -static $wrap
		one $cc $linker locks_static.c relink_locks_static -fPIE -static-pie $wrap
	done
done
one gcc bfd locks_nopie.c relink_locks -flto
one gcc bfd locks_static.c relink_locks_static -flto -static $wrap
one clang lld locks_nopie.c relink_locks -flto
one clang lld locks_static.c relink_locks_static -flto -static $wrap

# A static program that forgets the options does not link.
if gcc -std=gnu11 -D_GNU_SOURCE -O2 -I "$RELINK_SOURCE/include" -static "$here/locks_static.c" -L "$lib" -lrelink_locks_static \
	"$RELINK_STATIC_LIB" -Wl,-u,relink_watches_threads -pthread -o "$tmp/program" 2>"$tmp/log"; then
	echo "without --wrap: FAIL, it links" && failed=$((failed + 1))
else
	grep -q __real_pthread_create "$tmp/log" && passed=$((passed + 1))
fi

# Every site is the lock prefix of an operation on memory.
gcc -std=gnu11 -D_GNU_SOURCE -O2 -I "$RELINK_SOURCE/include" -c "$here/locks_operations.c" -o "$tmp/operations.o" || exit 1
readelf -rW "$tmp/operations.o" | awk '/^Relocation section/ { patch = /relarelink_patch/ } patch && /\.text \+/ { print $NF ":" }' |
	sort -u >"$tmp/sites"
objdump -d -j .text --no-show-raw-insn "$tmp/operations.o" |
	awk '$2 == "lock" && $3 ~ /^(add|sub|and|or|xor|inc|dec|xadd|cmpxchg|bts|btr|btc)[lq]?$/ && /\)$/ { print $1 }' | sort -u >"$tmp/locks"
sites=$(wc -l <"$tmp/sites")
others=$(comm -23 "$tmp/sites" "$tmp/locks" | paste -sd' ')
if [ "$sites" -gt 60 ] && [ -z "$others" ]; then
	passed=$((passed + 1))
else
	echo "bytes: FAIL, $sites sites, no lock prefix at $others" && failed=$((failed + 1))
fi

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
