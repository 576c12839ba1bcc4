#!/bin/bash
# SPDX-License-Identifier: MIT
# test: TIMEOUT 60
# tails.sh - jumps at the end of functions that were called through a pointer: all of a slot's are bound, if they are few or cost no page.
. "$RELINK_SOURCE/tests/linkage/lib.sh"

# exactly NAME COUNT: so many jumps of the library are bound in a cold run, and at the start of the next one.
exactly() {
	local mode

	without "$work/tails" "${1##* }"
	forget
	for mode in hot cached; do
		options=(--policy $mode)
		with_relink "$work/tails" "${1##* }"
		options=()
		is_same "$1 ($mode)" || continue
		is_bound "$1 ($mode)" "$2" libtails.so || continue
		[ "$(reported bound libtails.so)" = "$2" ] && pass || fail "$1 ($mode)" "$(reported bound libtails.so) are bound, not $2"
	done
}

for flavour in "now -Wl,-z,now" "ibt -fcf-protection=full -Wl,-z,now,-z,ibtplt" "taken -DTAKEN -Wl,-z,now" "noplt -fno-plt -DTAKEN -Wl,-z,now"; do
	read -r name flags <<<"$flavour"
	trap_program tails tails.c $flags
	objdump -d --no-show-raw-insn "$work/libtails.so" | awk '/<jumps>:/ { on = 1 } on && /jmp/ { jump = 1 } /^$/ { on = 0 } END { exit !jump }' || {
		skip "$name: $cc makes no jump of it"
		continue
	}
	[ "$name" = noplt ] && { same 0 libtails.so "$work/tails" one; continue; } # slots that code reads, without stubs: nothing is learned
	exactly "$name one" 1
	exactly "$name sort" 1
	exactly "$name row" 64   # of 160
	exactly "$name pages" 8  # of 20
	# A jump that nothing is known of, in a program of which something is.
	without "$work/tails" one
	with_relink --policy learn -- "$work/tails" one
	is_same "$name once more" && is_bound "$name once more" 1 libtails.so && pass
done
finish
