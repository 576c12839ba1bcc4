#!/bin/bash
# SPDX-License-Identifier: MIT
# test: TIMEOUT 240
# running.sh - processes, threads, signals, stacks and sandboxes, in the middle of learning.
. "$RELINK_SOURCE/tests/linkage/lib.sh"

for flavour in "lazy -Wl,-z,lazy" "now -Wl,-z,now"; do
	read -r name flags <<<"$flavour"
	trap_program "processes-$name" processes.c $flags
	for how in fork fork-leave vfork spawn system clone thread; do
		same 0 "libprocesses-$name.so" "$work/processes-$name" $how
	done
	same 0 "libprocesses-$name.so" "$work/processes-$name" raw
	for policy in learn all; do # in another root, and as nobody, it can't report
		without "$work/processes-$name" drop
		"$RELINK_TOOL" run --policy $policy "$work/processes-$name" drop 2>&1 | cmp -s - "$work/plain.out" && pass || fail "drop ($policy)" "it runs otherwise"
	done
	trap_program "signals-$name" signals.c $flags
	for how in calls jumps twice small errno coroutines; do
		least=2
		# Lazily bound, so few calls that it depends on the compiler whether they are seen.
		[ "$how-$name" != small-lazy ] || least=0
		same $least "libsignals-$name.so" "$work/signals-$name" $how
	done
	same 0 "libsignals-$name.so" "$work/signals-$name" cancel
	trap_program "threads-$name" threads.c $flags
	same 0 "libthreads-$name.so" "$work/threads-$name"
	trap_program "early-$name" threads.c $flags -DEARLY
	same 0 "libearly-$name.so" "$work/early-$name"
	trap_program "sandbox-$name" sandbox.c $flags
	for how in strict filter call call-prctl; do
		same - "libsandbox-$name.so" "$work/sandbox-$name" $how
	done
	for how in filter call; do
		same - "libsandbox-$name.so" "$work/sandbox-$name" $how exit
	done
done

# Who shuts the process in calls through slots without stubs, in a table that the loader protects.
library shut sandbox_shut.c -fno-plt
trap_program sandbox-noplt sandbox.c -DAPART -L"$work" -lshut
trap_program signals-noplt signals.c -fno-plt
for how in strict filter call call-prctl; do
	same - libsandbox-noplt.so "$work/sandbox-noplt" $how
done
# In one that is opened late, and bound lazily.
library shut sandbox_shut.c -Wl,-z,lazy
trap_program sandbox-opened sandbox.c -DOPENED -Wl,-z,now
for how in strict filter call call-prctl; do
	same - libsandbox-opened.so "$work/sandbox-opened" $how
done
modes="cold all"
same 0 libsignals-noplt.so "$work/signals-noplt" calls
modes=$all_modes

if [ -n "${CXX:-}" ]; then
	cc=$CXX library exceptions exceptions.cc
	"$cc" -O2 -w -o "$work/exceptions" "$here/main.c" -L"$work" -lexceptions -Wl,-rpath,"$work"
	same 4 libexceptions.so "$work/exceptions"
else
	skip "exceptions: there is no C++ compiler"
fi
finish
