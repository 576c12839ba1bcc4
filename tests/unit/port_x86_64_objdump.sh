#!/bin/bash
# SPDX-License-Identifier: MIT
# test: TIMEOUT 120
#
# port_x86_64_objdump.sh [FILE...]: compares length and pc-relative target of every instruction that objdump finds in
# real files with what the decoder says. Without arguments: libraries of this machine, none begun after
# RELINK_OBJDUMP_SECONDS (6).
set -u -o pipefail

tool=${RELINK_TEST_BIN:?}/unit.port_x86_64_decode
limit=${RELINK_OBJDUMP_SECONDS:-6}
failed=0 files=0

skip() {
	echo "skipped: $1"
	exit 77
}

command -v objdump >/dev/null || skip "no objdump"
objdump -i | grep -q '^elf64-x86-64' || skip "this objdump knows nothing of x86-64"
[ -x "$tool" ] || skip "no $tool"

# What has vector code first, so that a slow machine sees some of each kind. Names and places are of any distribution.
candidates() {
	local name dir
	for name in libdav1d.so.6 libm.so.6 libcrypto.so.{3,1.1} libgmp.so.10 libc.so.6 libstdc++.so.6 libx264.so.164; do
		for dir in /lib/x86_64-linux-gnu /usr/lib/x86_64-linux-gnu /lib64 /usr/lib64 /usr/lib; do
			if [ -r "$dir/$name" ]; then
				echo "$dir/$name"
				break
			fi
		done
	done
	echo "$BASH"
	echo "$tool"
}

compare() {
	local text status=0
	text=$(objdump -d -w "$1" | "$tool" objdump) || status=1
	echo "$1: ${text##*$'\n'}"
	files=$((files + 1))
	if [ $status -ne 0 ]; then
		echo "$text" | head -n 20
		failed=$((failed + 1))
	fi
}

if [ $# -eq 0 ]; then
	mapfile -t all < <(candidates)
else
	all=("$@") limit=1000000
fi
for file in "${all[@]}"; do
	[ "$SECONDS" -lt "$limit" ] || break
	if objdump -f "$file" 2>/dev/null | grep -q 'elf64-x86-64'; then
		compare "$file"
	fi
done
[ "$files" -gt 0 ] || skip "no files of x86-64"
echo "$files files, $failed failed"
[ "$failed" -eq 0 ]
