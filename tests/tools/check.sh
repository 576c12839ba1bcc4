#!/bin/bash
# SPDX-License-Identifier: MIT
# Each file in check/ has something wrong with it, and says in its first lines what `relink check` finds: number and words. It finds
# that and nothing else. Programs that compilers made have nothing wrong.
set -uo pipefail

tool=$RELINK_TOOL
here=$RELINK_SOURCE/tests/tools/check
pages="$RELINK_SOURCE/man/relink.1 $RELINK_SOURCE/man/relink-check.7"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
failed=0
[ "${RELINK_ARCH:-native}" = native ] && [ "$(uname -m)" = x86_64 ] || exit 77

fail() {
	echo "$*"
	failed=1
}

for file in "$here"/*.c; do
	name=$(basename "$file" .c)
	if ! ${CC:-gcc} -O1 -Wall -Wextra -Wno-unused -fPIC -nostdlib -shared -D_GNU_SOURCE -I "$RELINK_SOURCE/include" "$file" \
		-Wl,--emit-relocs,-z,now -o "$tmp/$name.so" >"$tmp/log" 2>&1; then
		fail "$name: does not build: $(head -n 3 "$tmp/log")"
		continue
	fi
	"$tool" check "$tmp/$name.so" >"$tmp/out" 2>"$tmp/err"
	status=$?
	[ $status -eq 1 ] || fail "$name: status $status: $(head -n 2 "$tmp/err")"
	grep -oE '\[relink-[0-9]+\]' "$tmp/out" | tr -dc '0-9\n' | sort >"$tmp/found"
	sed -n 's|^// expect: \([0-9]*\) .*|\1|p' "$file" | sort >"$tmp/expected"
	cmp -s "$tmp/found" "$tmp/expected" || fail "$name: found $(tr '\n' ' ' <"$tmp/found"): $(cat "$tmp/out")"
	while read -r number words; do
		grep -E "$words" "$tmp/out" | grep -q "relink-$number\]" || fail "$name: nothing says \"$words\": $(cat "$tmp/out")"
		grep -qxh "\.It $number" $pages || fail "$number: the pages have no entry"
	done < <(sed -n 's|^// expect: ||p' "$file")
	if command -v python3 >/dev/null; then
		"$tool" check --json "$tmp/$name.so" >"$tmp/json"
		python3 -m json.tool "$tmp/json" >/dev/null || fail "$name: --json is no JSON"
		"$tool" check --sarif "$tmp/$name.so" >"$tmp/sarif"
		python3 -c '
import json, sys
run = json.load(open(sys.argv[1]))["runs"][0]
rules = {rule["id"] for rule in run["tool"]["driver"]["rules"]}
results = run["results"]
assert results and all(r["ruleId"] in rules and r["message"]["text"] and r["locations"] for r in results)
' "$tmp/sarif" || fail "$name: --sarif is not what it should be"
	fi
done

# Every number has an entry in the pages, and an input (but those of relocations and indexes, which no compiler breaks, see index_misuse.sh, and that of two files).
"$tool" check --sarif "$(type -P true)" | grep -oE '"id": "relink-[0-9]+"' | tr -dc '0-9\n' | while read -r number; do
	grep -qxh "\.It $number" $pages && { [[ $number = 31[01] || $number = 111 ]] || [ -f "$here/$number.c" ] || [ -f "$here/$number.rules" ]; } || echo "$number"
done >"$tmp/missing"
[ ! -s "$tmp/missing" ] || fail "no entry or input: $(tr '\n' ' ' <"$tmp/missing")"

# A program that copies a pointer out of a shared object, and one that does not.
copies() {
	${CC:-gcc} -O1 "$@" -I "$RELINK_SOURCE/include" -D_GNU_SOURCE "$RELINK_SOURCE/tests/tools/subject.c" "$tmp/libsubject.so" \
		-Wl,--emit-relocs,--unresolved-symbols=ignore-all -o "$tmp/app" >"$tmp/log" 2>&1 || fail "app: $(head -n 3 "$tmp/log")"
	"$tool" check "$tmp/app" "$tmp/libsubject.so" >"$tmp/out" 2>&1
}
${CC:-gcc} -O1 -fPIC -shared -I "$RELINK_SOURCE/include" -D_GNU_SOURCE "$RELINK_SOURCE/tests/tools/subject_lib.c" -Wl,--emit-relocs \
	-o "$tmp/libsubject.so" || fail "libsubject.so does not build"
copies -fno-pie -no-pie
[ "$(grep -c 'relink-111\]' "$tmp/out")" = 1 ] && grep -q 'lib_pointer: .* of libsubject.so is copied' "$tmp/out" || fail "no copy: $(cat "$tmp/out")"
copies -fPIC -pie
! grep -q 'relink-111' "$tmp/out" || fail "a copy that is none: $(cat "$tmp/out")"

"$tool" check --suppressions "$here/431.rules" --unused-suppressions "$tmp/412.so" >"$tmp/out"
sed -n 's|^# expect: \([0-9]*\) \(.*\)|\1 \2|p' "$here/431.rules" | while read -r number words; do
	grep -E "$words" "$tmp/out" | grep -q "relink-$number\]" || echo "431: nothing says \"$words\": $(cat "$tmp/out")"
done >"$tmp/missing"
[ ! -s "$tmp/missing" ] || fail "$(cat "$tmp/missing")"

# Tests that assign behind relink's back do so on purpose.
for program in "$RELINK_TEST_BIN"/*; do
	[ -f "$program" ] && [ -x "$program" ] || continue
	case $program in # their arms are impossible, and that is what they are for
	*alternatives_far* | *patches_modules*) continue ;;
	esac
	"$tool" check --suppressions "$here/../on_purpose.rules" "$program" >"$tmp/out" 2>&1 || fail "$(head -n 5 "$tmp/out")"
done
exit $failed
