# test: NOT generic
# SPDX-License-Identifier: MIT
# strip takes the relocations: calls go through their trampolines, and the status says so. strip -g leaves them.
set -u
command -v strip > /dev/null || { echo "skipped: no strip here"; exit 77; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failed=0
passed=0

# NAME EXPECTED STRIP-OPTION...
try()
{
	strip "${@:3}" -o "$dir/$1" "$RELINK_TEST_BIN/behaviour.calls_plain" || exit 1
	if CHECK_SITES=$2 "$dir/$1"; then
		passed=$((passed + 1))
	else
		echo "$0: FAILED strip ${*:3}"
		failed=$((failed + 1))
	fi
}

try all stripped -s
try debug found -g
echo "$passed passed, $failed failed"
[ $failed = 0 ]
