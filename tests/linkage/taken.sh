#!/bin/bash
# SPDX-License-Identifier: MIT
# test: TIMEOUT 120
# taken.sh - calls of functions whose address is taken: their stubs lead to the recorder, their slots to nobody but the function.
. "$RELINK_SOURCE/tests/linkage/lib.sh"

# has_stub LIBRARY FUNCTION: one slot for calls and for pointers, and a section of stubs for such.
has_stub() {
	readelf -SW "$1" | grep -q ' \.plt\.got ' && readelf -rW "$1" | grep -q "R_X86_64_GLOB_DAT .* $2 " &&
		! readelf -rW "$1" | grep -q "R_X86_64_JUMP_SLO.* $2 "
}

for flavour in "now -fcf-protection=none -Wl,-z,now" "lazy -fcf-protection=none -Wl,-z,lazy" "norelro -fcf-protection=none -Wl,-z,now,-z,norelro" \
	"ibt -fcf-protection=full -Wl,-z,now,-z,ibtplt" "ibtlazy -fcf-protection=full -Wl,-z,lazy,-z,ibtplt"; do
	read -r name flags <<<"$flavour"
	library taken taken.c $flags
	library takenplugin taken_plugin.c $flags
	program taken taken
	"$cc" -D_GNU_SOURCE -DRELINK_TEST -g -O2 -w -pthread -I"$RELINK_SOURCE/include" -o "$work/taken_api" "$here/taken_api.c" -L"$work" -ltaken \
		"$RELINK_SHARED_LIB" -Wl,-rpath,"$work:$(dirname "$RELINK_SHARED_LIB")" -Wl,--disable-new-dtags || broken taken_api
	if ! has_stub "$work/libtaken.so" taken || ! has_stub "$work/libtakenplugin.so" p259; then
		skip "$name: $cc's linker makes no stub that shares a slot with pointers"
		continue
	fi
	# The loops' calls are bound, and in the second run at its start.
	modes=$all_modes
	same 2 libtaken.so "$work/taken" sum
	options=(--policy cached)
	with_relink "$work/taken" sum
	options=()
	is_same "sum ($name, cached)" && is_bound "sum ($name, cached)" 2 libtaken.so && pass
	same 1 libtaken.so "$work/taken" fork
	same 1 libtaken.so "$work/taken" reopen
	modes=cold
	same 0 libtaken.so "$work/taken" threads
	# Bound calls pass a hook by until somebody looks: --policy all binds this one.
	modes="cold warm"
	same 0 libtaken.so "$work/taken" follow
	[ "$(cat "$work/plain.status")" = 0 ] && pass || fail "$name" "without relink: $(cat "$work/plain.out")"

	for how in reverts tires policies live late fork reopen; do
		"$work/taken_api" $how >"$work/out" 2>&1
		case $? in
		0) pass ;;
		77) skip "$name $how: $(cat "$work/out")" ;;
		*) fail "$name $how" "$(tail -8 "$work/out")" ;;
		esac
	done
done
finish
