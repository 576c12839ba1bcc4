#!/bin/bash
# SPDX-License-Identifier: MIT
# The real sparse over correct and wrong code: each case says what sparse prints for which line (case.h), and it prints that and
# nothing else. Every public header alone, the examples and the programs that use macros everywhere pass without a word.
set -uo pipefail

source=${RELINK_SOURCE:-$(cd "$(dirname "$0")/../.." && pwd)}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
passed=0 failed=0

if ! command -v sparse >/dev/null; then
	echo "skipped: sparse is not installed"
	exit 77
fi

# say WHAT OUTPUT: fine if there is none
say() {
	if [ -z "$2" ]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		printf '%s: FAIL\n%s\n' "$1" "$(head -n 8 <<<"$2")"
	fi
}

check() {
	sparse -std=gnu11 -D_GNU_SOURCE -Wno-decl -I "$source/include" "$@" 2>&1
}

for file in "$source"/tests/sparse/*.c; do
	# Details of a message follow in lines of blanks.
	check "$file" | grep -v ':    ' | sed -nE 's/^([^:]*):([0-9]+):[0-9]+: (warning|error): (.*)/\2 \4/p' | sort -u >"$tmp/found"
	grep -nE '// expect: ' "$file" | sed -E 's,^([0-9]+):.*// expect: ,\1 ,' | sort -u >"$tmp/expected"
	say "$(basename "$file")" "$(diff "$tmp/expected" "$tmp/found")"
	out=
	grep -q '^// only: sparse' "$file" || out=$("${CC:-gcc}" -std=gnu11 -Wall -Wextra -fsyntax-only -I "$source/include" "$file" 2>&1)
	say "$(basename "$file"), compiled" "$out"
	[ "$(basename "$file")" = right.c ] || [ -s "$tmp/expected" ] || say "$(basename "$file")" "expects nothing"
done

# Headers leave no type of libc's to guess; libc's own initialisers are what they are in programs.
for header in "$source"/include/relink/*.h; do
	printf '#include <relink/%s>\n' "$(basename "$header")" >"$tmp/header.c"
	say "$(basename "$header")" "$(check "$tmp/header.c")"
done
for file in "$source"/tests/headers/*.c "$source"/examples/*/*.c; do
	# sparse does not know the builtins of these.
	! grep -qE '<immintrin.h>|<[a-z]*mmintrin.h>|__builtin_cpu_supports' "$file" || continue
	say "${file#"$source"/}" "$(check -Wno-non-pointer-null -I "$(dirname "$file")" "$file")"
done

echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
