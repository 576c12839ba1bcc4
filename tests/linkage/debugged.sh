#!/bin/bash
# SPDX-License-Identifier: MIT
# test: TIMEOUT 240
# debugged.sh - a debugger's breakpoints on calls, bound and not; who is on the stack, in a process and in its core.
. "$RELINK_SOURCE/tests/linkage/lib.sh"

command -v gdb >/dev/null || { skip "there is no gdb"; finish; }
export SHELL=/bin/sh
gdb() { command gdb -nx -batch -iex 'set debuginfod enabled off' -iex 'set auto-load no' -iex 'set width 0' -iex 'set breakpoint pending on' "$@" </dev/null >"$work/gdb" 2>&1; }
gdb -ex run /bin/true
grep -q 'exited normally' "$work/gdb" || { skip "gdb can't run a program here"; finish; }

trap_program surroundings surroundings.c -Wl,-z,now
prog=$work/surroundings
without "$prog" phases
# Where in work() callee is called.
lines=$(objdump -d --no-show-raw-insn "$work/libsurroundings.so" | sed -n '/^[0-9a-f]* <work>:/,/^$/p')
start=$(sed -n '1s/ .*//p' <<<"$lines") at=$(sed -n 's/^ *\([0-9a-f]*\):.*call.*<callee@plt>.*/\1/p' <<<"$lines" | head -1)
call=${at:+$((0x$at - 0x$start))}
[ -n "$call" ] || { fail "the call" "is not found"; finish; }

has() { grep -qE "$2" "$work/gdb" && pass || fail "$1" "there is no $2: $(tail -12 "$work/gdb")"; }
hasnt() { grep -qE "$2" "$work/gdb" && fail "$1" "there is $2" || pass; }

for policy in all learn; do
	into=(-ex "set exec-wrapper env LD_PRELOAD=$RELINK_BUILD/librelink-run.so RELINK_LINKAGE=$policy,no-cache,verify,json,report=$work/report")

	# A function that bound calls lead to, a core, and on.
	rm -f "$work/report"
	gdb "${into[@]}" -ex 'break third' -ex "run phases >$work/out" -ex 'disassemble work' -ex delete -ex 'break callee' -ex continue -ex bt \
		-ex "generate-core-file $work/core" -ex delete -ex continue --args "$prog" phases
	has "bt ($policy)" '#0 .*callee'
	has "bt ($policy)" '#1 .*work'
	has "bt ($policy)" '#2 .*trap_main'
	has "bt ($policy)" '#3 .*main'
	has "exit ($policy)" 'exited normally'
	has "bound ($policy)" 'call .*<callee>'
	hasnt "bound ($policy)" 'call .*<callee@plt>'
	cmp -s "$work/out" "$work/plain.out" && pass || fail "output ($policy)" "$(head -3 "$work/out")"
	is_bound "with gdb ($policy)" 1 libsurroundings.so && pass
	gdb -ex bt "$prog" "$work/core"
	has "core ($policy)" '#0 .*callee'
	has "core ($policy)" '#2 .*trap_main'
	has "core ($policy)" '#3 .*main'

	# A breakpoint on a call that is bound.
	rm -f "$work/report"
	gdb "${into[@]}" -ex 'break third' -ex "run phases >$work/out" -ex delete -ex "break *((char *)work + $call)" -ex continue -ex bt -ex stepi -ex bt \
		-ex delete -ex continue --args "$prog" phases
	has "on a call ($policy)" '#0 .*work'
	has "on a call ($policy)" '#0 .*callee'
	has "on a call ($policy)" 'exited normally'
	cmp -s "$work/out" "$work/plain.out" && pass || fail "on a call ($policy)" "$(head -3 "$work/out")"

	# And on one that is not yet: it stays as it is while that is there.
	rm -f "$work/report"
	gdb "${into[@]}" -ex 'break main' -ex "run phases >$work/out" -ex "break *((char *)work + $call)" -ex 'ignore 2 100000' -ex continue -ex 'info breakpoints' \
		--args "$prog" phases
	has "on it before ($policy)" 'breakpoint already hit [0-9]{3,}'
	has "on it before ($policy)" 'exited normally'
	cmp -s "$work/out" "$work/plain.out" && pass || fail "on it before ($policy)" "$(head -3 "$work/out")"
	# Bound at the start, it leads elsewhere: into the debugger.
	[ "$(reported differ)" = $([ $policy = all ] && echo 1 || echo 0) ] && pass || fail "on it before ($policy)" "$(reported differ) calls lead elsewhere"
done
finish
