#!/bin/bash
# SPDX-License-Identifier: MIT
# The manual pages: sound mdoc, true to the headers (pages.py), with examples that compile without a warning, and run.
set -uo pipefail

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
failed=0

if command -v mandoc >/dev/null; then
	mandoc -T lint -W warning "$RELINK_SOURCE"/man/*.[1-9] || failed=1
	for page in "$RELINK_SOURCE"/man/*.[1-9]; do
		mandoc -T ascii "$page" >"$tmp/text" && [ "$(wc -l <"$tmp/text")" -gt 20 ] || { echo "$page: nothing is left of it"; failed=1; }
	done
elif command -v groff >/dev/null; then
	for page in "$RELINK_SOURCE"/man/*.[1-9]; do
		groff -ww -mandoc -Tutf8 "$page" 2>"$tmp/err" >/dev/null
		[ ! -s "$tmp/err" ] || { echo "$page: $(head -n 3 "$tmp/err")"; failed=1; }
	done
fi
if ! command -v python3 >/dev/null; then
	echo "skipped: there is no python3"
	[ $failed -ne 0 ] && exit 1
	exit 77
fi
mkdir "$tmp/examples"
python3 "$RELINK_SOURCE/tests/pages/pages.py" "$RELINK_SOURCE" "$tmp/examples" || failed=1
for example in "$tmp"/examples/*.c; do
	name=$(basename "$example" .c)
	if ! ${CC:-cc} -O2 -Wall -Wextra -Werror -I "$RELINK_SOURCE/include" ${RELINK_CFLAGS:-} "$example" -Wl,--emit-relocs "$RELINK_STATIC_LIB" \
		-pthread -ldl -o "$tmp/$name" 2>"$tmp/err"; then
		echo "$name(3): its example does not build: $(grep -m 3 -E 'error|warning|undefined' "$tmp/err")"
		failed=1
	elif ! env -u RELINK -u RELINK_CONFIG timeout 20 "$tmp/$name" >"$tmp/out" 2>&1; then
		echo "$name(3): its example fails: $(head -n 3 "$tmp/out")"
		failed=1
	fi
done
exit $failed
