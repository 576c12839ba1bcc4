#!/bin/bash
# SPDX-License-Identifier: MIT
# test: TIMEOUT 120
# inside.sh - programs and plugins that have sites of their own: relink run binds other calls, and leaves these alone.
. "$RELINK_SOURCE/tests/linkage/lib.sh"

for name in calls_modules.O2 calls_modules_nopie calls_modules_shared ops_modules pointers_modules functions_modules uses_modules modules_guests; do
	prog=$RELINK_TEST_BIN/behaviour.$name
	if [ ! -x "$prog" ]; then
		skip "$name: it is not built"
		continue
	fi
	for policy in hot hot all; do
		if timeout 60 "$RELINK_TOOL" run --policy $policy "$prog" >"$work/out" 2>&1 </dev/null; then
			pass
		else
			fail "$name ($policy)" "$(grep -m2 FAILED "$work/out")"
		fi
	done
	forget
done
finish
