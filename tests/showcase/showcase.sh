#!/bin/bash
# SPDX-License-Identifier: MIT
# The showcase with stand-ins for relink: that it finds what is wrong with one, and measures what one costs.
set -euo pipefail

for tool in python3 sqlite3; do
	if ! command -v $tool >/dev/null; then
		echo "skipped: $tool is not installed"
		exit 77
	fi
done
python=$(python3 -c 'import sys; print(sys.executable)')
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cp "$RELINK_SOURCE/tests/showcase/standin.sh" "$tmp/relink"
chmod +x "$tmp/relink"

fail() {
	echo "FAILED: $*"
	cat "$tmp/out" "$tmp/err" 2>/dev/null || true
	exit 1
}

# showcase WRONG STATUS [PROGRAM...]
showcase() {
	local status=0 expected=$2
	echo "$1" >"$tmp/wrong"
	shift 2
	"$python" -B "$RELINK_SOURCE/showcase/run.py" "$tmp/relink" "$RELINK_BUILD" "$tmp/result" "$@" >"$tmp/out" 2>"$tmp/err" || status=$?
	[ $status -eq "$expected" ] || fail "status $status, not $expected"
}

# What is wrong is told in one line, and no Python is seen.
told() {
	grep -q "^showcase: .*$1" "$tmp/err" || fail "not told: $1"
	! grep -q Traceback "$tmp/err" || fail "a traceback"
}

query() { python3 -c "import json, sys; found = json.load(open('$tmp/result/results.json')); rows = {r['row']: r for r in found['rows']}
met = {t['what']: t['met'] for t in found['targets']}
sys.exit(not ($1))" || fail "not so: $1"; }

python3 -B "$RELINK_SOURCE/tests/showcase/paired.py" "$RELINK_SOURCE"

export SHOWCASE_ROUNDS=3 SHOWCASE_SECONDS="0.01 0.05"

showcase nothing 0 sqlite3
query "list(rows) == ['sqlite3 0.01 s', 'sqlite3 0.05 s']"
query "all(len(t) == 3 for r in rows.values() for k in ('cpu', 'wall') for t in r['samples'][k].values())"
query "set(rows['sqlite3 0.05 s']['samples']['cpu']) == {'plain', 'plain2', 'control', 'hot', 'cold', 'all'}"
query "rows['sqlite3 0.05 s']['cpu']['plain'] > 2 * rows['sqlite3 0.01 s']['cpu']['plain'] > 0"
query "rows['sqlite3 0.05 s']['private']['plain'] > 100000"
query "rows['sqlite3 0.05 s']['bound'] == dict.fromkeys(['control', 'hot', 'cold', 'all'], 7)"
query "met['no output changed'] and found['start']['rounds'] == 15"
query "found['machine']['programs']['sqlite3'] and found['machine']['cpu']"
python3 -c "import sys, xml.dom.minidom as x; t = x.parse(sys.argv[1]).toxml(); sys.exit('sqlite3 0.05 s' not in t)" "$tmp/result/gains.svg" || fail "gains.svg"
grep -q 'same against same' "$tmp/out" || fail "no column of the error"

# A start that takes long is seen in all figures it belongs to: processes' own time, not only what a program says.
showcase slow 0 sqlite3
query "found['start']['more_cpu']['hot']['median'] > 10 and found['start']['more_wall']['hot']['low'] > 5"
query "met['start of sqlite3, hot: <= 5 ms, CPU time'] is False and met['sqlite3 0.01 s: not slower than without'] is False"
query "rows['sqlite3 0.01 s']['gain_cpu']['hot']['high'] < -20 and abs(rows['sqlite3 0.01 s']['gain_cpu']['plain2']['median']) < 20"

showcase says 1 sqlite3
told 'sqlite3 0.01 s, all: THE OUTPUT HAS CHANGED'
showcase changes 1 sqlite3
told 'THE OUTPUT HAS CHANGED: .*/result/changed/'
ls "$tmp"/result/changed/expected-run-sqlite3-* >/dev/null || fail "what was expected is not kept"
showcase fails 1 sqlite3
told 'sqlite3 0.01 s, control: ended with status 3'
showcase silent 1 sqlite3
told 'sqlite3 0.01 s, control: relink run --report --json wrote no report'
SHOWCASE_ROUNDS=none showcase nothing 1 sqlite3
told 'SHOWCASE_ROUNDS is a number'
SHOWCASE_SECONDS=1e9 showcase nothing 1 sqlite3
told 'SHOWCASE_SECONDS'
showcase nothing 1 ed
told 'no program ed: there are sqlite3'
mv "$tmp/relink" "$tmp/gone"
showcase nothing 1 sqlite3
told 'relink'
mv "$tmp/gone" "$tmp/relink"

# A program that is not there has a row that says so.
mkdir "$tmp/path"
for tool in sqlite3 bash cat dirname dpkg-query; do
	! command -v $tool >/dev/null || ln -s "$(command -v $tool)" "$tmp/path/"
done
(PATH=$tmp/path && showcase nothing 0 sqlite3 valac)
query "rows['valac 0.05 s']['missing'] == 'valac is not installed' and rows['sqlite3 0.05 s']['rounds'] == 3"
grep -q '^valac 0.05 s.*valac is not installed' "$tmp/out" || fail "the table does not say that valac is missing"

# Interrupted: what was measured is there.
echo nothing >"$tmp/wrong"
: >"$tmp/err"
SHOWCASE_ROUNDS=100000 "$python" -B "$RELINK_SOURCE/showcase/run.py" "$tmp/relink" "$RELINK_BUILD" "$tmp/result" sqlite3 >"$tmp/out" 2>"$tmp/err" &
for ((i = 0; i < 600; i++)); do
	! grep -q 'round 3 ' "$tmp/err" || break
	sleep 0.1
done
kill -TERM $!
status=0
wait $! || status=$?
[ $status -eq 130 ] || fail "interrupted: status $status"
query "100 > rows['sqlite3 0.01 s']['rounds'] >= 2 and met['no output changed']"
echo "passed"
