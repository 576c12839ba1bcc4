#!/bin/bash
# SPDX-License-Identifier: MIT
# test: NOT address undefined thread generic
#
# environments.sh - the program of environments.c in an emulator, where new code can be read and the old runs.
set -u

passed=0
failed=0
skipped=0

for program in environments.O2 environments_static; do
	if ! command -v qemu-x86_64 >/dev/null; then
		skipped=$((skipped + 1))
		echo "skipped: $program: there is no qemu-x86_64"
	elif output=$(qemu-x86_64 "$RELINK_TEST_BIN/behaviour.$program" --emulated 2>&1); then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "FAILED $program: $output"
	fi
done

echo "$passed passed, $failed failed, $skipped skipped"
((failed)) && exit 1
((passed)) || exit 77
