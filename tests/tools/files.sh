#!/bin/bash
# SPDX-License-Identifier: MIT
# test: TIMEOUT 600
# What `relink list` and `relink show` read from files against what the runtime finds in the same program: compilers, linkers and
# models, with choices in several states. Prints one line per combination; with an argument, only those that match it.
set -uo pipefail

. "$RELINK_SOURCE/tests/tools/build_subject"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
[ "${RELINK_ARCH:-native}" = native ] && [ -x "${RELINK_TOOL:-}" ] && command -v python3 >/dev/null || exit 77
[ "$(uname -m)" = x86_64 ] || exit 77

settings='
default
trace=on,idle=poll,hash=other,hook=hook_on,lib_call=lib_other,limit=7,offset=-70000,add=twice,store=none,queues[1]=on
checks=off,idle=sleep,hash=seven,lib_key=on,lib_number=123456789012345,add=function,queues[2]=on
trace=on,checks=off,hash=null,add=long_one,lib_call=lib_plain,hook=null
trace=on,{file subject*.c -},checks=off,{func noted +; key lib* +; key queues* +}
'

# Dumps of all settings; a setting that names what a file lacks is refused as a whole, which is as good as default.
dump_all() {
	local setting i=0
	while read -r setting; do
		[ -n "$setting" ] || continue
		[ "$setting" = default ] && setting=""
		RELINK=$setting ./app >"dump.$i" 2>"err.$i" || return
		grep '^state ' "err.$i" >"dump.$i.states"
		grep -a '^use	' "err.$i" >"dump.$i.uses"
		i=$((i + 1))
	done <<<"$settings"
}

compare() {
	local files=app file with=""
	[ -f libsubject.so ] && files="app libsubject.so" with="--with libsubject.so --with app"
	"$RELINK_TOOL" list --json --sites --uses '' $files >list.json || return
	mkdir shows
	for file in $files; do
		"$RELINK_TOOL" show --json $with "$file" >"shows/$file.json" || return
	done
	python3 "$here/compare.py" list.json shows dump.0 dump.1 dump.2 dump.3 dump.4
}

one() {
	local name="$*" out

	for tool in "$1" "$([ "$2" = mold ] && echo mold || echo "ld.$2")"; do
		command -v "$tool" >/dev/null || { echo "$name: skip, there is no $tool"; return; }
	done
	mkdir "$tmp/${name// /}" && cd "$tmp/${name// /}" || return
	if ! out=$(build_one "$@" 2>&1); then
		if grep -qE 'unknown|unrecognized|relr' <<<"$out"; then
			echo "$name: skip, $(grep -m 1 -E 'unknown|unrecognized|relr' <<<"$out")"
		else
			echo "$name: FAIL, does not build: $(grep -m 3 -iE 'error|undefined|warning' <<<"$out" | tr '\n' ' ')"
		fi
	elif ! dump_all; then
		echo "$name: FAIL, does not run: $(cat err.*)"
	elif out=$(compare 2>&1); then
		echo "$name: ok, $out"
	else
		echo "$name: FAIL, $out"
	fi
}

. "$RELINK_SOURCE/tests/tools/rows"
each_row 1 "${1:-}"
