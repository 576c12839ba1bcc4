#!/bin/bash
# SPDX-License-Identifier: MIT
# bench.sh [BUILD [GROUP...]]: builds the benchmark in BUILD (build/bench/release if not given), runs it, prints the table and
# leaves results.json and the plots in build/bench. Takes some minutes; a machine with nothing else to do gives better numbers.
set -euo pipefail

cd "$(dirname "$0")/.."
build=${1:-build/bench/release}
out=build/bench
[ $# -eq 0 ] || shift

if ! command -v python3 >/dev/null; then
	echo "bench: python3 is missing (Debian: python3)" >&2
	exit 1
fi
mkdir -p "$out"
log=$out/build.log
if [ -e "$build/CMakeCache.txt" ]; then
	configure=(cmake "$build" -DRELINK_BUILD_BENCH=ON)
else
	configure=(cmake --preset release -B "$build" -DRELINK_BUILD_BENCH=ON -DRELINK_BUILD_TESTS=OFF -DRELINK_BUILD_EXAMPLES=OFF)
fi
echo "bench: building (a million sites take the assembler a while)" >&2
if ! { "${configure[@]}" && cmake --build "$build" --parallel --target bench-programs; } >"$log" 2>&1; then
	tail -n 20 "$log" >&2
	echo "bench: the build failed: $log" >&2
	exit 1
fi
exec python3 -B bench/run.py "$build" "$out" "$@"
