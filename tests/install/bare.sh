#!/bin/bash
# SPDX-License-Identifier: MIT
# bare.sh - a build where libelf, libdw, Capstone and jansson are not found: relink runs programs, and says what it lacks.
set -uo pipefail

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
export XDG_CACHE_HOME=$tmp/cache
failed=0 passed=0
cd "$tmp" || exit 1

pass() { passed=$((passed + 1)); }
fail() {
	failed=$((failed + 1))
	echo "FAILED $1: ${2:-}"
}

# What is found is a list of paths of which none is there.
"$CMAKE" -S "$RELINK_SOURCE" -B build -DCMAKE_BUILD_TYPE=Release -DCMAKE_C_COMPILER="$CC" -DRELINK_BUILD_TESTS=OFF -DRELINK_BUILD_EXAMPLES=OFF \
	-DRELINK_WERROR=ON -DLIBELF_LIBRARY= -DLIBDW_LIBRARY= -DCAPSTONE_INCLUDE_DIR= -DJANSSON_INCLUDE_DIR= >log 2>&1 || { tail -n 20 log; exit 1; }
grep -q 'can run programs only.* not found: libelf, libdw, capstone, jansson$' log && pass || fail "configuring" "$(grep relink: log)"
"$CMAKE" --build build --parallel 2 >log 2>&1 || { tail -n 20 log; exit 1; }
"$CMAKE" --install build --prefix "$tmp/prefix" >log 2>&1 || { tail -n 20 log; exit 1; }
relink=$tmp/prefix/bin/relink
[ ! -e prefix/libexec ] && pass || fail "libexec" "there is $(find prefix/libexec)"

"$relink" run --report="$tmp/report" true >out 2>err && [ ! -s err ] && grep -q '^start-up' report && pass || fail "run" "$(cat err)"
"$relink" run --dry-run sh >out 2>err && grep -q 'could be bound' out && pass || fail "run --dry-run" "$(cat err)"
"$relink" --help >out 2>err && grep -q '^  run ' out && ! grep -q '^  list ' out && grep -q 'made without libelf, libdw, capstone, jansson' out && pass ||
	fail "--help" "$(cat out err)"

# lacks NAME WORDS...: one line that says why
lacks() {
	local status=0
	"${@:2}" >out 2>err </dev/null || status=$?
	[ $status -eq 2 ] && [ ! -s out ] && [ "$(wc -l <err)" -eq 1 ] &&
		grep -q "^relink: $1: not in this build of relink, which was made without libelf, libdw, capstone, jansson; install" err && pass ||
		fail "${*:2}" "status $status: $(cat out err)"
}
for command in list show check index object bake ps status set watch linkage; do
	lacks $command "$relink" $command --help
	lacks $command "$relink" help $command
done
ln -s "$relink" as
lacks ./as ./as --version
"$relink" nonsense 2>err
[ $? -eq 2 ] && grep -q 'there is no command nonsense' err && pass || fail "nonsense" "$(cat err)"

echo "$passed passed, $failed failed"
exit $((failed > 0))
