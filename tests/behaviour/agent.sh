#!/bin/bash
# test: TIMEOUT 120
# SPDX-License-Identifier: MIT
# relink ps, list, status, set and watch against a running program: what they print, how they fail, what they exit with.
set -uo pipefail

relink=$RELINK_BUILD/tools/relink
target=$RELINK_TEST_BIN/behaviour.agent_target
passed=0 failed=0
if [ ! -x "${relink%/*}/libexec/relink-tool" ]; then
	echo "skipped: relink-tool is not built"
	exit 77
fi
tmp=$(mktemp -d)
export XDG_RUNTIME_DIR=$tmp RELINK_CONFIG=/nonexistent/relink
unset RELINK
pids=()
trap 'kill "${pids[@]}" 2>/dev/null; rm -rf "$tmp"' EXIT

# expect STATUS PATTERN COMMAND...: the pattern is looked for in both outputs
expect() {
	local want=$1 pattern=$2 status=0
	shift 2
	timeout 30 "$@" >"$tmp/out" 2>&1 </dev/null || status=$?
	if [ "$status" -eq "$want" ] && { [ -z "$pattern" ] || grep -qE -- "$pattern" "$tmp/out"; }; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "FAILED: $*: status $status, want $want; \"$pattern\" in:"
		head -n 20 "$tmp/out"
	fi
}

absent() {
	if grep -qE -- "$1" "$tmp/out"; then
		failed=$((failed + 1))
		echo "FAILED: \"$1\" in the last output"
	else
		passed=$((passed + 1))
	fi
}

mkfifo "$tmp/in"
RELINK_AGENT=1 "$target" <"$tmp/in" >"$tmp/said" &
pids+=($!)
exec 9>"$tmp/in"
for _ in $(seq 500); do
	[ -s "$tmp/said" ] && break
	sleep 0.02
done
pid=$(head -n 1 "$tmp/said")

expect 0 "^$pid  .*behaviour.agent_target" "$relink" ps
expect 0 "\"pid\": $pid," "$relink" ps --json
expect 0 "\"choices\": [567]," "$relink" ps --json
expect 2 "nothing may follow" "$relink" ps 1
expect 0 "^trace +key +off +default" "$relink" list "$pid"
expect 0 "^idle +option .* halt poll" "$relink" list "$pid"
absent $'\033'
expect 0 '"doc": "what a worker does.u001b' "$relink" list --json "$pid"
expect 0 "^idle" "$relink" list --choice='i*' "$pid"
absent "^trace"
expect 0 "^idle" "$relink" list --kind=option "$pid"
absent "^trace"
expect 0 "" "$relink" list --sites --json "$pid" # where code is rewritten
expect 0 "^modules +1, 0 pending" "$relink" status "$pid"
expect 0 '"decided_by": "default"' "$relink" list --json "$pid"
expect 0 '"status": "' "$relink" status --json "$pid"
for what in "ps" "list $pid" "list --sites $pid" "list --uses '' $pid" "status $pid" "set $pid trace=off"; do
	expect 0 "" bash -c "'$relink' $what --json | python3 -m json.tool"
done

expect 0 "" "$relink" set "$pid" trace=on idle=poll
expect 0 "^trace +key +on +program; asked: program on" "$relink" list "$pid"
echo >&9
expect 0 "" "$relink" set --force "$pid" trace=off
expect 1 "the force says off .RELINK_OVERRIDDEN" "$relink" set "$pid" trace=on
expect 1 "nonforcible" "$relink" set --force "$pid" guarded=on
expect 0 "" "$relink" set "$pid" --release trace
expect 0 "^trace +key +on +program" "$relink" list "$pid"
expect 1 "no choice is named 'nothing'" "$relink" set "$pid" nothing=on
expect 1 "there are: halt, poll" "$relink" set "$pid" idle=nothing
expect 1 "RELINK_E_FINAL" "$relink" set "$pid" decided=on
expect 0 "" "$relink" set --stop "$pid" decided=off
expect 0 "" "$relink" set --unset "$pid" trace idle
expect 0 "^trace +key +off +(default|program)" "$relink" list "$pid"
expect 0 '"done": "set"' "$relink" set --json "$pid" trace=off
expect 0 "" "$relink" set --unset "$pid" trace

# Uses of keys, each a choice of its own.
expect 0 "^net_debug +.*agent_target.c:[0-9]+ +accept_one +off +default +.*a connection" "$relink" list --uses "" "$pid"
expect 0 "" "$relink" set "$pid" '{func accept_* +; func accept_* clear}' idle=poll
expect 1 "matches no use" "$relink" set "$pid" '{func nothing_here +}'
expect 0 "" "$relink" set "$pid" '{func accept_* +}' idle=poll
expect 0 "accept_one +on +program" "$relink" list --uses "" "$pid"
expect 0 "close_one +off +default" "$relink" list --uses "" "$pid"
expect 0 "accept_one" "$relink" list --uses='func accept_*' "$pid"
absent "close_one"
expect 2 "func" "$relink" list --uses='func' "$pid"
expect 0 "nothing matches" "$relink" list --uses='func nobody' "$pid"
expect 1 "braces?|brace" "$relink" set "$pid" '{func accept_* +'
expect 1 "cleared" "$relink" set --release "$pid" '{func accept_* +}'
expect 0 "" "$relink" set --force "$pid" '{func accept_* -}'
expect 0 "accept_one +off +force" "$relink" list --uses "" "$pid"
expect 0 "" "$relink" set --force "$pid" '{clear}'
expect 0 "" "$relink" set "$pid" '{clear}'
expect 0 "accept_one +off +default" "$relink" list --uses "" "$pid"
expect 0 "net_debug" "$relink" list --uses "" "$target"

expect 2 "is no NAME=STATE" "$relink" set "$pid" trace
expect 2 "names alone" "$relink" set --release "$pid" trace=on
expect 2 "exclude each other" "$relink" set --release --force "$pid" trace
expect 2 "which choices" "$relink" set "$pid"
expect 2 "is no process's number" "$relink" set trace=on idle=poll
expect 2 "there is no process" "$relink" set 2147483646 trace=on
expect 2 "has no agent" "$relink" set $$ trace=on
expect 2 "there is no command" "$relink" nonsense
expect 2 "usage" "$relink"
expect 0 "relink COMMAND" "$relink" --help
for command in ps list status set watch; do
	expect 0 "^usage: relink $command" "$relink" $command --help
done

# Each change is a line; the end of the process ends it.
"$relink" watch "$pid" >"$tmp/watched" 2>&1 9>&- &
pids+=($!)
"$relink" watch --json "$pid" >"$tmp/events" 2>&1 9>&- &
pids+=($!)
for _ in $(seq 500); do
	grep -q ready "$tmp/events" && break
	sleep 0.02
done
sleep 0.2
expect 0 "" "$relink" set "$pid" trace=on
sleep 0.2
expect 0 "" "$relink" set --force "$pid" trace=off
sleep 0.2
expect 0 ": off -> on by program; asked: program on" cat "$tmp/watched"
expect 0 ": on -> off by force; asked: program on, force off" cat "$tmp/watched"
expect 0 '"event": ?"choice", ?"choice": ?"trace"' cat "$tmp/events"

# On a terminal: one screen, and q.
if command -v script >/dev/null; then
	(sleep 1; printf jkq) | timeout 20 script -qec "$relink watch $pid" "$tmp/screen" >/dev/null 2>&1
	status=$?
	expect 0 "q quits" cat "$tmp/screen"
	expect 0 "trace.*force" cat "$tmp/screen"
	[ "$status" -eq 0 ] || { failed=$((failed + 1)); echo "FAILED: watch on a terminal: status $status"; }
fi

# A stopped process keeps nobody waiting for ever.
kill -STOP "$pid"
expect 0 "" "$relink" ps --json
absent "\"pid\": $pid,"
kill -CONT "$pid"

exec 9>&-
wait "${pids[0]}"
wait "${pids[1]}"
[ $? -eq 1 ] && passed=$((passed + 1)) || { failed=$((failed + 1)); echo "FAILED: watch did not end with the process"; }
[ "$(sed -n 2p "$tmp/said")" = 1 ] && passed=$((passed + 1)) || { failed=$((failed + 1)); echo "FAILED: trace was not on"; }
[ ! -e "$tmp/relink/$pid.sock" ] && passed=$((passed + 1)) || { failed=$((failed + 1)); echo "FAILED: the socket is left"; }
expect 2 "process" "$relink" list "$pid"
expect 0 "no process has an agent" "$relink" ps

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
