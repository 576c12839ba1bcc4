#!/bin/bash
# SPDX-License-Identifier: MIT
# librelink.so exports exactly what the public headers mark RELINK_API, all under the version node RELINK_1.
set -euo pipefail

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# Declarations may span lines; every one ends with a semicolon.
for header in "$RELINK_SOURCE"/include/relink/*.h; do
	"${CC:-cc}" -E -P -dD -I "$RELINK_SOURCE/include" -DRELINK_INTERNAL -x c "$header"
done | sed 's/__attribute__((visibility("default")))/RELINK_API/g; /^#/d' | tr '\n' ' ' | tr ';' '\n' |
	grep RELINK_API | sed -E 's/^.*RELINK_API//; s/\(.*//; s/ *$//; s/^.*[^A-Za-z0-9_]//' | sort -u >"$tmp/headers"

nm -D --defined-only --with-symbol-versions "$RELINK_SHARED_LIB" | awk '$2 != "A" { print $3 }' | sort -u >"$tmp/library"
sed 's/$/@@RELINK_1/' "$tmp/headers" >"$tmp/expected"

# Sanitizers bring symbols of their own, which are not ours to judge.
if [ -n "${RELINK_SANITIZE:-}" ]; then
	grep '^relink_' "$tmp/library" >"$tmp/ours" || true
	mv "$tmp/ours" "$tmp/library"
fi

if ! diff -u --label "RELINK_API in the headers" --label "exported by the library" "$tmp/expected" "$tmp/library"; then
	echo "exports differ: correct src/relink.map, or define the function" >&2
	exit 1
fi
echo "$(wc -l <"$tmp/headers") functions exported"
