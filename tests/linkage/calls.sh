#!/bin/bash
# SPDX-License-Identifier: MIT
# calls.sh - whatever is passed to a function arrives, and whoever looks at the stack finds everybody, in every flavour of stub.
# test: TIMEOUT 120
. "$RELINK_SOURCE/tests/linkage/lib.sh"

flavours=(
	"lazy -Wl,-z,lazy"
	"now -Wl,-z,now,-z,relro"
	"ibt -fcf-protection=full -Wl,-z,now,-z,ibtplt"
	"ibtlazy -fcf-protection=full -Wl,-z,lazy,-z,ibtplt"
)
for flavour in "${flavours[@]}"; do
	read -r name flags <<<"$flavour"
	trap_program "arguments-$name" arguments.c $flags
	same 12 "libarguments-$name.so" "$work/arguments-$name"
	trap_program "unwind-$name" unwind.c $flags
	# A slot that is filled at the first call is noticed after some more that are recorded; there are too few here.
	case $name in *lazy) modes="cold all learn" ;; esac
	same 1 "libunwind-$name.so" "$work/unwind-$name" steps
	modes=$all_modes
	[ "$name" != now ] || same 1 "libunwind-$name.so" "$work/unwind-$name" profile
done
finish
