#!/bin/bash
# SPDX-License-Identifier: MIT
# check-core-freestanding.sh OBJECT...: linked together, the objects of src/core need nothing but what compilers emit calls
# to (memcpy and its like), what the ports provide, and the names listed in scripts/core-hooks.txt.
set -euo pipefail

here=$(dirname "$0")
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

if [ $# -eq 0 ]; then
	echo "usage: check-core-freestanding.sh OBJECT..." >&2
	exit 2
fi
"${CC:-cc}" -nostdlib -r -o "$tmp/core.o" "$@"
nm -u "$tmp/core.o" | awk '{ print $NF }' | sort -u >"$tmp/needs"
{
	printf '%s\n' memcpy memset memcmp memmove _GLOBAL_OFFSET_TABLE_
	sed 's/#.*//; /^[[:space:]]*$/d; s/[[:space:]]//g' "$here/core-hooks.txt"
} | sort -u >"$tmp/allowed"

if stray=$(comm -23 "$tmp/needs" "$tmp/allowed" | grep -v '^rl_port_'); then
	for symbol in $stray; do
		users=""
		for object in "$@"; do
			if nm -u "$object" | awk '{ print $NF }' | grep -qxF "$symbol"; then
				users+=" $(basename "$object" .o)"
			fi
		done
		echo "core is not freestanding: $symbol, used by$users"
	done
	echo "core gets what it needs through its hooks; see CONTRIBUTING.md and scripts/core-hooks.txt"
	exit 1
fi >&2
echo "core needs only: $(tr '\n' ' ' <"$tmp/needs")"
