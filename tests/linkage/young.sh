#!/bin/bash
# SPDX-License-Identifier: MIT
# test: TIMEOUT 120
# young.sh - a process of a program that is known: how little is watched in its first quarter of a second, and what it does then.
. "$RELINK_SOURCE/tests/linkage/lib.sh"

lib=libyoung.so
trap_program young young.c -Wl,-z,now

# run OPTION.. -- ARGUMENT..: one run; it has to end as it should.
run() {
	options=()
	while [ "$1" != -- ]; do options+=("$1"); shift; done
	with_relink -- "$work/young" "${@:2}"
	options=()
	[ "$(cat "$work/status")" = 0 ] && [ "$(reported differ)" = 0 ] || fail "$*" "$(cat "$work/out" "$work/err")"
}
# short OPTION.. -- ARGUMENT..: again, where the machine had other things to do for so long that the process was no longer young.
short() {
	local saved=$work/saved

	rm -rf "$saved" && cp -r "$work/cache" "$saved"
	for ((try = 0; try < 8; try++)); do
		run "$@"
		(($(awk '{ print $3 }' "$work/out") < 200)) && return
		rm -rf "$work/cache" && cp -r "$saved" "$work/cache"
	done
	skip "a short run: this machine is too busy for one"
	finish
}
is() { # NAME VALUE LEAST MOST
	(($2 >= $3 && $2 <= $4)) && pass || fail "$1" "$2, not $3 to $4: $(tail -1 "$work/report")"
}

# ---- a module that is known sleeps ----

short -- 30 first
all=$(reported watching)
is "a first run: bound" "$(reported bound $lib)" 75 90
is "a first run: learned" "$(reported learned $lib)" 75 90
cp -r "$work/cache" "$work/known"
again() { rm -rf "$work/cache" && cp -r "$work/known" "$work/cache"; }

short -- 30 first
is "the next one: bound" "$(reported bound $lib)" 75 90
is "the next one: learned" "$(reported learned $lib)" 0 5
is "the next one: slots watched" "$(reported watching)" 0 $((all / 2))
again
short -- 80 second slow
few=$(reported learned $lib)
is "another workload in a short run: learned" "$few" 0 45
is "another workload in a short run: bound" "$(reported bound $lib)" 75 $((90 + few))
is "another workload in a short run: slots watched" "$(reported watching)" 0 $((all / 2))
is "another workload in a short run: calls recorded" "$(reported recorded)" 1 2500 # of 3200 that are made
again
run -- 500 second slow
is "another workload in a long run: learned" "$(reported learned $lib)" 75 90
is "another workload in a long run: bound" "$(reported bound $lib)" 150 175
# Nobody but hot calls comes by, so often that there is no waiting for them.
again
run -- 500 second
is "another workload that is busy: learned" "$(reported learned $lib)" 75 90
is "another workload that is busy: bound" "$(reported bound $lib)" 150 175
short --policy cached -- 0 none
is "after it: known" "$(reported bound $lib)" 150 175
again
short --policy learn -- 80 second slow
is "--policy learn, short: learned" "$(reported learned $lib)" 75 90
short --policy cached -- 0 none
is "after that: known" "$(reported bound $lib)" 75 90

# ---- what is hot only in the long run ----

forget
run -- 100 first slow
is "slow calls: bound" "$(reported bound $lib)" 70 90
short --policy cached -- 0 none
is "slow calls, --policy cached: bound" "$(reported bound $lib)" 70 90
short -- 0 none
is "slow calls, in the next start: bound" "$(reported bound $lib)" 0 15
is "slow calls, in the next start: known of" "$(reported found $lib)" 0 15
cp -r "$work/cache" "$work/slow"
run -- 500 first
is "slow calls, in a long run: bound" "$(reported bound $lib)" 75 90
is "slow calls that have become quick, in a long run: calls recorded" "$(reported recorded)" 1 100000 # of millions that are made
rm -rf "$work/cache" && cp -r "$work/slow" "$work/cache"
short -- 30 first
short -- 0 none
is "slow calls of which some have become quick: bound" "$(reported bound $lib)" 5 90
rm -rf "$work/cache" && cp -r "$work/slow" "$work/cache"
short --policy learn -- 30 first
short -- 0 none
is "slow calls that have become quick: bound" "$(reported bound $lib)" 75 90

# ---- a program that makes nothing hot ----

forget
short -- 0 none
is "nothing hot: bound" "$(reported bound)" 0 2
all=$(reported watching)
short -- 0 none
is "nothing hot, the next one: slots watched" "$(reported watching)" 0 $((all / 2))
is "nothing hot, and everything watched" "$all" 160 100000
finish
