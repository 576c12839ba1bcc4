#!/bin/bash
# SPDX-License-Identifier: MIT
# test: TIMEOUT 240
# loading.sh - what the loader decides is what calls are bound to: scopes, versions, choices, and modules that come and go.
. "$RELINK_SOURCE/tests/linkage/lib.sh"

lazy="-Wl,-z,lazy" now="-Wl,-z,now"

# What the loader fills at the first call is bound once enough calls have been recorded since; in libraries as small as these there
# are none. With --now there are.
least() {
	least=$2 options=()
	case $1 in
	lazy) least=0 ;;
	lazy-now) options=(--now) ;;
	noplt | symbolic) least=all=$2 ;; # the slots may be read as data, so such calls are not recorded; and little is left
	esac
}

# Interposed functions are called as often.
library counter interposed.c -DCOUNTER
for flavour in "lazy $lazy" "lazy-now $lazy" "now $now" "noplt -fno-plt" "symbolic -Wl,-Bsymbolic $now"; do
	read -r name flags <<<"$flavour"
	trap_program "interposed-$name" interposed.c $flags
	export LD_PRELOAD=$work/libcounter.so
	least "$name" 1
	same $least "libinterposed-$name.so" "$work/interposed-$name"
	unset LD_PRELOAD
	same $least "libinterposed-$name.so" "$work/interposed-$name"
done
# A program at a fixed address, with stubs that are everybody's functions.
options=()
program interposed-fixed interposed-now -no-pie
same 3 libinterposed-now.so "$work/interposed-fixed"

for flavour in "lazy $lazy" "lazy-now $lazy" "now $now"; do
	read -r name flags <<<"$flavour"
	trap_program "ifuncs-$name" ifuncs.c $flags
	least "$name" 3
	same $least "libifuncs-$name.so" "$work/ifuncs-$name"
done

printf 'V1 { global: versioned; local: versioned_*; };\nV2 { global: versioned; } V1;\n' >"$work/versions.map"
library versions versions.c -Wl,--version-script="$work/versions.map"
for flavour in "lazy $lazy" "lazy-now $lazy" "now $now"; do
	read -r name flags <<<"$flavour"
	library old versions.c -DOLD -lversions $flags
	library new versions.c -DNEW -lversions $flags
	library "users-$name" versions.c -DMAIN $flags -lold -lnew
	program "versions-$name" "users-$name" -Wl,-rpath-link,"$work"
	least "$name" 2
	same $least "lib[on][le][dw].so" "$work/versions-$name"
done

options=()

# plugin.c as seen from scopes of several kinds; common() is also the program's library's.
library common plugin.c -DVALUE=1
library pluginlocal plugin.c -DVALUE=2 $lazy
library plugindeep plugin.c -DVALUE=3 $lazy
library pluginglobal plugin.c -DVALUE=4 $now
library pluginuser plugin.c $lazy
library pluginnow plugin.c $now
library loading loading.c $now
program loading loading
same 0 libloading.so "$work/loading" scopes
program loadingcommon loading -Wl,--no-as-needed -lcommon
same 0 libloading.so "$work/loadingcommon" scopes
same 1 libloading.so "$work/loading" namespaces
same 1 libloading.so "$work/loading" callers
# The loader never fills a slot.
export LD_BIND_NOT=1
same 0 libloading.so "$work/loading" scopes
unset LD_BIND_NOT

# The same size and place, other code; with build-ids and without, with start files and without, and nothing left open.
for flags in "" "-Wl,--build-id=none" "-nostartfiles" "-nostartfiles -Wl,--build-id=none" "-Wl,-z,now" "-Wl,-z,now -Wl,--build-id=none"; do
	library ten plugin.c -DVALUE=10 $flags
	library two plugin.c -DVALUE=20 $flags
	# Whoever has start files is bound when it comes.
	least=1
	case $flags in *nostart*) least=0 ;; esac
	same $least "libt[ew][no].so" "$work/loading" reopen libten.so libtwo.so
	[ "$flags" != "-Wl,--build-id=none" ] || least=0 # it was not filled when it went: nothing tells it from the next
	same $least "libreplaced.so" "$work/loading" reopen libten.so libtwo.so replaced
	grep -q 'same address' "$work/plain.err" || skip "reopen${flags:+ }$flags: the kernel puts each elsewhere"
done

for first in 'atoi("7")' 'getpagesize() / 4096' '(int)strtol("3", 0, 10)'; do
	library pluginlast plugin.c -DVALUE=1 -DFIRST="$first" $lazy
	library pluginlast2 plugin.c -DVALUE=1 -DFIRST="(int)labs(5)" $lazy -Wl,--build-id=none
	same 1 libloading.so "$work/loading" last
	export LD_BIND_NOT=1
	same 1 libloading.so "$work/loading" last
	unset LD_BIND_NOT
done
same 3 libloading.so "$work/loading" storm
finish
