#!/bin/sh
# SPDX-License-Identifier: MIT
# test_queries.sh RELINK-LOGD - what the environment and the command line switch on is in the log, and nothing else.
set -u

logd=$1
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
failed=0

fail() {
	echo "FAILED: $*"
	failed=1
}

# The measurement leaves off what the program itself has switched; here only its start counts.
RELINK='{file main.c +' "$logd" --seconds 0.2 >"$tmp/out" 2>&1 || fail "an open brace in the environment: $?"
"$logd" --relink '{fil main.c +}' --seconds 0.2 >"$tmp/out" 2>&1 && fail "a bad word is accepted"
grep -q "no term is called 'fil'" "$tmp/out" || fail "$(cat "$tmp/out")"
"$logd" --seconds 0.2 --relink '{func listening* +}' >"$tmp/out" 2>&1 && fail "a query that matches nothing is accepted"
grep -q "matches no use" "$tmp/out" || fail "$(cat "$tmp/out")"
RELINK='{key net_debug format "listening *" +}' "$logd" --serve "$tmp/socket" --log "$tmp/log" >"$tmp/out" &
pid=$!
for i in 1 2 3 4 5 6 7 8 9 10; do
	[ -s "$tmp/log" ] && [ -s "$tmp/out" ] && break
	sleep 0.3
done
kill $pid
[ "$(wc -l <"$tmp/log")" = 1 ] && grep -q "^listening on $tmp/socket" "$tmp/log" || fail "log: $(cat "$tmp/log")"
n=$(sed 's/.*: \([0-9]*\) log statements.*/\1/' "$tmp/out")
[ "$n" -ge 200 ] || fail "only $n log statements"
[ $failed -eq 0 ] && echo "passed, $n log statements"
exit $failed
