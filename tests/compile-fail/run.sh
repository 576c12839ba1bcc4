#!/bin/bash
# SPDX-License-Identifier: MIT
# Misuse must not compile, and the compiler must say why. See case.h for what the files say. With an argument, only that case,
# with what the compilers print.
set -uo pipefail

source=${RELINK_SOURCE:-$(cd "$(dirname "$0")/../.." && pwd)}
export source
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
export tmp

# check FILE COMPILER LANGUAGE PORT: one line "ok|FAIL ..." on the standard output.
check() {
	local file=$1 compiler=$2 language=$3 port=$4 name status=ok out flags quiet=""
	name=$(basename "$file" .c)
	flags="-Wall -Wextra -Wpedantic -I $source/include -fsyntax-only -x $language"
	case $language in
	c) flags="-std=gnu11 $flags" ;;
	*) flags="-std=gnu++17 $flags" quiet=-Wno-c++20-extensions ;; # designated initialisers in C++17
	esac
	[ "$port" = native ] || flags+=" -DRELINK_ARCH_GENERIC"
	# Some operands of asm statements are looked at when code is made only.
	! grep -q '^// only: native' "$file" || flags="-O2 ${flags/-fsyntax-only/-c -o /dev/null}"
	if out=$($compiler $flags "$file" 2>&1); then
		status="FAIL compiles"
	else
		while read -r text; do
			grep -qF -- "$text" <<<"$out" || status="FAIL does not say: $text"
		done < <(sed -nE "s,^// expect(-$(sed 's/+/\\+/g' <<<"$language"))?: ,,p" "$file")
	fi
	if [ "$status" != ok ]; then
		status+=$'\n'$(grep -E 'error|warning' <<<"$out" | head -n 5)
	elif ! out=$($compiler $flags -Werror $quiet -Wno-unused-function -DRIGHT "$file" 2>&1); then
		status="FAIL even the right form does not compile"$'\n'$(grep -E 'error|warning' <<<"$out" | head -n 5)
	fi
	echo "$name, $compiler, $port: $status"
}
export -f check

for file in "$source"/tests/compile-fail/${1:-*}.c; do
	only=$(sed -n 's,^// only:,,p' "$file")
	for compiler in "gcc c" "clang c" "g++ c++" "clang++ c++"; do
		command -v "${compiler% *}" >/dev/null || continue
		for port in native generic; do
			case " $only " in *" native "*) [ $port = native ] || continue ;; *" generic "*) [ $port = generic ] || continue ;; esac
			case " $only " in *" c "*) [ "${compiler#* }" = c ] || continue ;; *" c++ "*) [ "${compiler#* }" = c++ ] || continue ;; esac
			echo "$file $compiler $port"
		done
	done
done | xargs -P "$(nproc)" -L 1 bash -c 'check "$@"' check >"$tmp/results"

grep -v ': ok$' "$tmp/results"
passed=$(grep -c ': ok$' "$tmp/results")
failed=$(grep -c ': FAIL' "$tmp/results")
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
