#!/bin/bash
# SPDX-License-Identifier: MIT
# fuzz.sh [TARGET...]: every fuzz target in tests/fuzz for RELINK_FUZZ_SECONDS (600 if not set), from the corpus in the repository, as
# many at a time as there are processors. What was found is in build/fuzz/corpus/TARGET (new paths) and build/fuzz/crashes; a crash
# belongs into tests/fuzz/corpus once it is repaired.
set -euo pipefail

cd "$(dirname "$0")/.."
seconds=${RELINK_FUZZ_SECONDS:-600}
jobs=$(nproc 2>/dev/null || echo 2)
[[ $seconds =~ ^[1-9][0-9]*$ ]] || { echo "RELINK_FUZZ_SECONDS=$seconds: it is a number of seconds" >&2; exit 2; }
if ! command -v clang >/dev/null || ! echo 'int LLVMFuzzerTestOneInput(void) { return 0; }' |
	clang -fsanitize=fuzzer,address -x c - -o /dev/null 2>/dev/null; then
	echo "fuzz: skipped, there is no clang with libFuzzer (Debian: clang, libclang-rt-dev)"
	exit 0
fi
mkdir -p build/fuzz/crashes
cmake -S . -B build/fuzz -DCMAKE_C_COMPILER=clang -DCMAKE_CXX_COMPILER=clang++ -DCMAKE_BUILD_TYPE=RelWithDebInfo \
	-DRELINK_FUZZ=ON >build/fuzz/build.log
cmake --build build/fuzz --target fuzz --parallel "$jobs" >>build/fuzz/build.log 2>&1 || { tail -n 20 build/fuzz/build.log; exit 1; }
[ $# -gt 0 ] || for source in tests/fuzz/*.c; do
	[ -x "build/fuzz/tests/fuzz/fuzz_$(basename "$source" .c)" ] && set -- "$@" "$(basename "$source" .c)"
done

# One line when it has ended. What libFuzzer says is in build/fuzz/TARGET.log.
one() {
	local name=$1 log=build/fuzz/$1.log length=65536 status=0
	[ -d "tests/fuzz/corpus/$name" ] || { echo "$name: there is no tests/fuzz/corpus/$name"; return 1; }
	case $name in query | config) length=2000 ;; esac
	mkdir -p "build/fuzz/corpus/$name"
	"build/fuzz/tests/fuzz/fuzz_$name" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=4096 -max_len=$length -print_final_stats=1 \
		-artifact_prefix="build/fuzz/crashes/$name-" "build/fuzz/corpus/$name" "tests/fuzz/corpus/$name" >"$log" 2>&1 || status=$?
	if [ $status -ne 0 ]; then
		echo "$name: FAIL, $(grep -m 1 -E 'SUMMARY|ERROR' "$log"); $(grep -o 'build/fuzz/crashes/.*' "$log" | head -n 1); see $log"
		return 1
	fi
	echo "$name: ok, $(awk '/number_of_executed_units/ { print $2 }' "$log") runs in $seconds s," \
		"coverage $(grep -oE 'cov: [0-9]+' "$log" | tail -n 1 | tr -dc 0-9)"
}
export -f one
export seconds
echo "fuzz: $*: $seconds seconds each"
printf '%s\n' "$@" | xargs -P "$jobs" -I {} bash -c 'one {}'
