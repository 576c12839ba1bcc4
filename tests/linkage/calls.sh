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
	case $name in *lazy) modes="cold all" ;; esac
	same 1 "libunwind-$name.so" "$work/unwind-$name" steps
	modes=$all_modes
	[[ $name == *lazy ]] || TRAP_SAYS=1 "$RELINK_TOOL" run --policy learn --no-cache "$work/unwind-$name" steps 2>&1 | grep -q '^bound meanwhile' ||
		fail "unwind-$name" "the call was not bound while it was looked at"
	[ "$name" != now ] || same 1 "libunwind-$name.so" "$work/unwind-$name" profile
done

# Other linkers, layouts and ways of calling. Retpolines and what has no slots stay as they are.
others=(
	"noseparate 12 -Wl,-z,now,-z,noseparate-code"
	"sysv 12 -Wl,-z,now,--hash-style=sysv"
	"norelro 12 -Wl,-z,now,-z,norelro"
	"noplt all=12 -fno-plt"
	"level0 12 -O0 -Wl,-z,now"
	"symbolic 0 -Wl,-Bsymbolic"
	"stripped 12 -Wl,-z,now -s"
	"profiled 12 -pg -Wl,-z,now"
	"gold 12 -fuse-ld=gold -Wl,-z,now"
	"lld 12 -fuse-ld=lld -Wl,-z,now"
	"lldibt 12 -fuse-ld=lld -Wl,-z,now,-z,force-ibt -fcf-protection=full"
	"lldretpoline 0 -fuse-ld=lld -Wl,-z,now,-z,retpolineplt"
	"mold 12 -fuse-ld=mold -Wl,-z,now"
	"moldlazy 0 -fuse-ld=mold -Wl,-z,lazy"
)
export GMON_OUT_PREFIX=$work/gmon
for flavour in "${others[@]}"; do
	read -r name least flags <<<"$flavour"
	if ! "$cc" -shared -fPIC -w -x c -o "$work/try.so" /dev/null $flags 2>/dev/null; then
		skip "$name: $cc can't ($flags)"
		continue
	fi
	trap_program "arguments-$name" arguments.c $flags
	same "$least" "libarguments-$name.so" "$work/arguments-$name"
done
finish
