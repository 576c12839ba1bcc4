#!/bin/bash
# SPDX-License-Identifier: MIT
# Runs the stress tests, all at the same time, each for RELINK_SOAK_SECONDS (an hour if not set), then what `make check` does for some
# compilers, linkers, models and stock programs for all of them, then every fuzz target for RELINK_FUZZ_SECONDS (ten minutes).
set -euo pipefail

cd "$(dirname "$0")/.."
seconds=${RELINK_SOAK_SECONDS:-3600}
cmake --preset gcc -B build/soak -DRELINK_SOAK_SECONDS="$seconds" >/dev/null
cmake --build build/soak --parallel
tests=$(ctest --test-dir build/soak -N -L '^soak$' | awk '/^Total Tests:/ { print $3 }')
if [ "${tests:-0}" -eq 0 ]; then
	echo "there are no stress tests" >&2
	exit 1
fi
echo "soak: $tests stress tests, $seconds seconds"
status=0
ctest --test-dir build/soak -L '^soak$' --parallel "$tests" --output-on-failure || status=1
RELINK_ALL_ROWS=1 ctest --test-dir build/soak -R '^(tools\.(index|object|bake)|linkage\.(stock|generated))$' --output-on-failure || status=1
scripts/fuzz.sh || status=1
exit $status
