#!/bin/bash
# SPDX-License-Identifier: MIT
# check.sh [PRESET...]: builds and tests with every compiler, sanitizer and port, and sums it up in the last line,
# "N passed, N failed, N skipped". What ctest printed is in build/check-PRESET.log.
set -euo pipefail

cd "$(dirname "$0")/.."
jobs=$(nproc 2>/dev/null || echo 2)
passed=0 failed=0 skipped=0
started=$SECONDS

if [ $# -eq 0 ]; then
	set -- gcc clang asan ubsan tsan generic
fi

# Can this compiler make and run programs like that?
works() {
	local tmp result=0
	tmp=$(mktemp -d)
	echo 'int main(void) { return 0; }' >"$tmp/t.c"
	{ "$@" "$tmp/t.c" -o "$tmp/t" && "$tmp/t"; } >/dev/null 2>&1 || result=1
	rm -rf "$tmp"
	return $result
}

needs() {
	case $1 in
	gcc) works gcc ;;
	clang) works clang ;;
	asan) works clang -fsanitize=address ;;
	ubsan) works clang -fsanitize=undefined ;;
	tsan) works clang -fsanitize=thread ;;
	*) works cc ;;
	esac
}

count() { grep -cE "^ *[0-9]+/[0-9]+ Test +#[0-9]+: .*$1" "$2" || true; }

export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}
export TSAN_OPTIONS=${TSAN_OPTIONS:-halt_on_error=1}
mkdir -p build

for preset; do
	log=build/check-$preset.log
	echo "== $preset"
	if ! needs "$preset"; then
		echo "skipped: this machine's compiler can't build that"
		skipped=$((skipped + 1))
		continue
	fi
	if ! { cmake --preset "$preset" && cmake --build "build/$preset" --parallel "$jobs"; } >"$log" 2>&1; then
		grep -E 'error|warning|FAILED|undefined' "$log" | head -n 40 || true
		echo "the build failed: $log"
		failed=$((failed + 1))
		continue
	fi
	ctest --test-dir "build/$preset" --output-on-failure --parallel "$jobs" 2>&1 | tee "$log" || true
	p=$(count ' Passed ' "$log") s=$(count '\*\*\*(Skipped|Not Run \(Disabled\))' "$log") n=$(count '' "$log")
	if [ "$n" -eq 0 ]; then
		echo "no test was run: $log"
		failed=$((failed + 1))
	fi
	passed=$((passed + p)) skipped=$((skipped + s)) failed=$((failed + n - p - s))
	echo "== $preset: $p passed, $((n - p - s)) failed, $s skipped, $((SECONDS - started)) s since the start"
done

if [ "$failed" -ne 0 ]; then
	echo "failed:"
	for preset; do
		grep -hE '^ *[0-9]+/[0-9]+ Test +#' "build/check-$preset.log" 2>/dev/null |
			grep -vE ' Passed |\*\*\*(Skipped|Not Run \(Disabled\))' | sed "s/^/  $preset: /" || true
	done
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
