#!/bin/bash
# SPDX-License-Identifier: MIT
# test: TIMEOUT 300 NOT address undefined thread generic
# gdb.sh - under gdb commits work; a breakpoint on a site is an error that names it, changes nothing, and is over when it is deleted.
set -u

skip() {
	echo "skipped: $1"
	exit 77
}

command -v gdb >/dev/null || skip "there is no gdb"
out=$(mktemp) said=$(mktemp)
trap 'rm -f "$out" "$said"' EXIT
# A shell starts the program and leads what it says elsewhere: gdb would put its own words in the middle of a line.
export SHELL=/bin/sh
run() { gdb -nx -batch -return-child-result -iex 'set debuginfod enabled off' -iex 'set auto-load no' "$@" </dev/null >"$out" 2>&1; }

run -ex run /bin/true
grep -q 'exited normally' "$out" || skip "gdb can't run a program here: $(grep -m1 -iE 'ptrace|permitted|warning|error' "$out")"

# Three times: stop, breakpoint on the site, run into the next stop, delete it, run on.
steps=()
for number in 2 3 4; do
	steps+=(-ex 'break *(*(unsigned long *)&site_address)' -ex continue -ex "delete $number" -ex continue)
done
run -ex 'break stop_here' -ex "run >'$said' 2>&1" "${steps[@]}" "$RELINK_TEST_BIN/behaviour.gdb_target"
result=$?
summary=$(grep -E '^[0-9]+ passed, [0-9]+ failed$' "$said")
if [ $result -ne 0 ] || [ -z "$summary" ]; then
	cat "$out" "$said"
	echo "FAILED the program ended with $result under gdb"
	echo "0 passed, 1 failed"
	exit 1
fi
echo "$summary"
