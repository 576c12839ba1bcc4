#!/bin/bash
# SPDX-License-Identifier: MIT
# test: TIMEOUT 300 NOT address undefined thread generic
# valgrind.sh - valgrind runs a translation of the code, and does not see what is written into it: the library notices and the
# program is right. Where valgrind is told to look again each time, it may be direct.
set -u

command -v valgrind >/dev/null || { echo "skipped: there is no valgrind"; exit 77; }
out=$(mktemp) log=$(mktemp) program=$(mktemp)
trap 'rm -f "$out" "$log" "$program"' EXIT
# Not every valgrind understands every compiler's debug information.
strip -g -o "$program" "$RELINK_TEST_BIN/behaviour.valgrind_target" || exit 1
passed=0 failed=0

check() { # WHAT COMMAND...
	local what=$1
	shift
	if "$@"; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "FAILED $what:"
		cat "$out" "$log"
	fi
}
# What valgrind says never stands in the middle of the program's line.
run() { valgrind -q --error-exitcode=9 --fair-sched=try --log-file="$log" "$@" "$program" >"$out" 2>&1; }

valgrind -q /bin/true >"$out" 2>&1 || { echo "skipped: valgrind can't run here: $(head -n1 "$out")"; exit 77; }
check "under valgrind" run
check "the mode under valgrind" grep -q '^mode: indirect: ' "$out"
cat "$out"
check "under valgrind that looks for changed code" run --smc-check=all
check "its mode" grep -qE '^mode: (in)?direct' "$out"
cat "$out"
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
