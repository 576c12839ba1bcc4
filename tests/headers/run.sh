#!/bin/bash
# SPDX-License-Identifier: MIT
# The public headers as users meet them: each alone, in every language, without a warning; and macros in all places where
# they may stand (places.h, shapes.hh), compiled by every compiler at every level and run.
set -uo pipefail

source=${RELINK_SOURCE:-$(cd "$(dirname "$0")/../.." && pwd)}
library=${RELINK_STATIC_LIB:-}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
export source library tmp
export warnings="-Wall -Wextra -Wpedantic -Wshadow -Wundef -Werror"

# alone HEADER COMPILER LANGUAGE STANDARD PORT
alone() {
	local file out flags=""
	file=$tmp/alone-${1//\//_}-$2-$4-$5
	[ "$5" = generic ] && flags=-DRELINK_ARCH_GENERIC
	printf '#include <relink/%s>\n#include <relink/%s>\nextern int something;\n' "$1" "$1" >"$file"
	if out=$($2 -x "$3" "-std=$4" $warnings $flags -I "$source/include" -fsyntax-only "$file" 2>&1); then
		echo "$1, $2 -std=$4, $5: ok"
	else
		echo "$1, $2 -std=$4, $5: FAIL"$'\n'"$(head -n 5 <<<"$out")"
	fi
}
export -f alone

# places C-COMPILER C++-COMPILER FLAG...; -fno-pie also says how to link
places() {
	local cc=$1 cxx=$2 here=$source/tests/headers dir out quiet=""
	shift 2
	dir=$tmp/$(tr -dc 'A-Za-z0-9' <<<"$cc$*")
	mkdir "$dir"
	# What is on one line and what has dangling branches is so on purpose.
	local allow="-Wno-misleading-indentation -Wno-dangling-else"
	[ "$cxx" = g++ ] && quiet=-Wno-c++20-extensions # designated initialisers in C++17
	if out=$({
		for file in one two; do
			$cc -std=gnu11 "$@" $warnings $allow -I "$source/include" -c "$here/$file.c" -o "$dir/$file.c.o" || exit 1
		done
		for file in one two main; do
			$cxx -std=gnu++17 "$@" $warnings $allow $quiet -I "$source/include" -c "$here/$file.cc" -o "$dir/$file.cc.o" || exit 1
		done
		if [ -f "$library" ]; then
			[[ " $* " != *" -fno-pie "* ]] || set -- "$@" -no-pie
			$cxx "$@" "$dir"/*.o "$library" -Wl,--emit-relocs -Wl,-z,now -pthread -ldl -o "$dir/places" && "$dir/places"
		fi
	} 2>&1); then
		echo "places, $cc $*: ok"
	else
		echo "places, $cc $*: FAIL"$'\n'"$(grep -E 'error|warning|undefined|:' <<<"$out" | head -n 8)"
	fi
}
export -f places

{
	cd "$source/include/relink" || exit 1
	for header in *.h; do
		for compiler in gcc clang; do
			command -v $compiler >/dev/null || continue
			for standard in c11 gnu11 gnu17; do
				for port in native generic; do
					echo "alone $header $compiler c $standard $port"
				done
			done
		done
		for compiler in g++ clang++; do
			command -v $compiler >/dev/null || continue
			for standard in c++17 gnu++17 gnu++20; do
				for port in native generic; do
					echo "alone $header $compiler c++ $standard $port"
				done
			done
		done
	done
	for pair in "gcc g++" "clang clang++"; do
		command -v ${pair#* } >/dev/null || continue
		for level in -O0 -O1 -O2 -O3 -Os; do
			echo "places $pair $level"
			echo "places $pair $level -fPIC"
		done
		echo "places $pair -O2 -fno-pie"
		echo "places $pair -O0 -fno-pie"
		echo "places $pair -O2 -fcf-protection"
	done
} | xargs -P "$(nproc)" -L 1 bash -c '"$@"' check >"$tmp/results"

grep -v ': ok$' "$tmp/results"
passed=$(grep -c ': ok$' "$tmp/results")
failed=$(grep -c ': FAIL' "$tmp/results")
[ -f "$library" ] || echo "RELINK_STATIC_LIB is not set: compiled only"
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
