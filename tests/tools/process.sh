#!/bin/bash
# SPDX-License-Identifier: MIT
# test: TIMEOUT 300
# What `relink list --sites PID` and `relink show PID` read from a running process, which does nothing for it, against what its runtime says:
# bytes, variants, states; programs and shared objects, renamed and deleted ones; processes that can't be read.
set -uo pipefail

. "$RELINK_SOURCE/tests/tools/build_subject"
tool=$RELINK_TOOL
tmp=$(mktemp -d)
pid=""
stop() {
	[ -z "$pid" ] || kill "$pid" 2>/dev/null
	[ -z "$pid" ] || wait "$pid" 2>/dev/null
	pid=""
}
trap 'stop; rm -rf "$tmp"' EXIT
[ "${RELINK_ARCH:-native}" = native ] && [ "$(uname -m)" = x86_64 ] && command -v python3 >/dev/null || exit 77
failed=0

wrong() {
	echo "$*"
	failed=1
}

# start SETTINGS: the subject, until it says that it is ready
start() {
	mkfifo -m 600 input 2>/dev/null
	RELINK=$1 SUBJECT_TRAPS=1 SUBJECT_WAIT=1 ./app <input >sites 2>err &
	pid=$!
	exec 9>input
	for _ in $(seq 200); do
		grep -q '^ready' err && break
		kill -0 "$pid" 2>/dev/null || return 1
		sleep 0.05
	done
	grep '^state ' err >states
	! grep -q '^traps' err
}

compare() {
	local said

	"$tool" list --json --sites "$pid" >list.json 2>problems || { wrong "$1: $(cat problems)"; return; }
	said=$(python3 "$here/process.py" list.json sites states) || wrong "$1: $said"
	echo "$1: $said"
}

one() {
	local name="$1 $2 $3"

	command -v "$1" >/dev/null && command -v "$([ "$2" = mold ] && echo mold || echo "ld.$2")" >/dev/null || return 0
	mkdir "$tmp/$1$2$3" && cd "$tmp/$1$2$3" || return
	build_one "$@" >log 2>&1 || { wrong "$name: $(cat log)"; return; }
	for setting in trace=on,idle=poll,hash=other,hook=hook_on,limit=7,offset=-70000,add=twice,store=none,queues[1]=on \
		checks=off,idle=sleep,hash=seven,lib_key=on,lib_number=123456789012345,add=function,lib_call=lib_other; do
		start "$setting" || { wrong "$name: does not start: $(cat err)"; return; }
		compare "$name"
		stop
	done
}

one gcc bfd pie -O2
one gcc bfd no-pie -O2
one clang lld static-pie -O2
one gcc mold static -O1
one gcc bfd shared -O2

# ---- what a person sees; the file may be gone ----
cd "$tmp/gccbfdpie" || exit 1
start trace=on,hash=other
"$tool" check "$pid" >out 2>&1
[ $? -eq 2 ] && grep -q "^relink: check: $pid is a process; name files" out || wrong "check: $(cat out)"
"$tool" bake "$pid" trace -o new >out 2>&1
[ $? -eq 2 ] && [ ! -e new ] && grep -q "^relink: bake: $pid is a process; name files" out || wrong "bake: $(cat out)"
"$tool" show "$pid" trace >out 2>&1 || wrong "show: $(cat out)"
grep -q 'in memory, now: on' out && grep -qE '^ +now, on +as linked, off' out || wrong "show: $(head -n 20 out)"
address=$("$tool" list -s -k trampoline -c hash "$pid" | awk '$3 == "trampoline" { print $2 }')
"$tool" show "$pid" "$address" >out 2>&1 || wrong "show $address: $(cat out)"
grep -q 'now: other' out || wrong "show $address: $(cat out)"
"$tool" show --json "$pid" trace hash | python3 -m json.tool >/dev/null || wrong 'show --json'
"$tool" show "$pid" no_such_thing >out 2>&1
[ $? -eq 2 ] && grep -q '^relink: [0-9]*: there is no site, choice' out || wrong "show nothing: $(cat out)"

rm app
compare deleted
"$tool" list "$pid" >out
grep -q 'app (deleted): PIE for x86-64, in process' out || wrong 'deleted: not said'
# Another file of that name is not what runs.
cp "$(type -P true)" app
compare replaced
stop

# ---- processes that can't be read, or have nothing ----
refused() {
	"$tool" list --sites "$1" >out 2>err
	[ $? -eq 2 ] && grep -qE "^relink: $1: $2" err && [ "$(wc -l <err)" -eq 1 ] && [ ! -s out ] || wrong "$1: $(cat out err)"
}
sleep 100 &
refused $! 'no module of this process uses relink'
kill $! && wait $! 2>/dev/null
refused 4194304 'there is no such process'
(sleep 0 & exec sleep 2) &
sleep 0.5
zombie=$(ps -o pid= --ppid $! 2>/dev/null | tr -d ' ')
[ -z "$zombie" ] || refused "$zombie" 'it has no memory'
refused 99999999999 '' 2>/dev/null
if [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null; then
	sleep 100 &
	chmod 755 "$tmp"
	setpriv --reuid 65534 --regid 65534 --clear-groups "$tool" list --sites $! >out 2>err
	[ $? -eq 2 ] && grep -q 'not allowed' err || wrong "another user: $(cat out err)"
	kill $! && wait $! 2>/dev/null
fi
exit $failed
