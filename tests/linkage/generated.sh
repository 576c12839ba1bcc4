#!/bin/bash
# SPDX-License-Identifier: MIT
# test: TIMEOUT 300
# generated.sh - generated libraries that call each other in every way that compilers know. RELINK_ALL_ROWS=1: for as long as
# RELINK_SOAK_SECONDS.
. "$RELINK_SOURCE/tests/linkage/lib.sh"

command -v python3 >/dev/null || { skip "there is no python3"; finish; }
flavours=("-O2 -Wl,-z,now" "-O0 -Wl,-z,now" "-O2 -fcf-protection=full -Wl,-z,now,-z,ibtplt" "-Os -Wl,-z,lazy" "-O3 -fno-plt" "-O2 -fuse-ld=lld -Wl,-z,now" "-O1 -fuse-ld=mold")

generated() {
	local flags=${flavours[$1 % ${#flavours[@]}]} i

	"$cc" -shared -fPIC -w -x c -o "$work/try.so" /dev/null $flags 2>/dev/null || { skip "$cc can't ($flags)"; return; }
	python3 "$here/generate.py" "$1" "$work" || { fail "seed $1" "generate.py"; return; }
	for i in 0 1 2 3; do
		"$cc" -fPIC -shared -w $flags -o "$work/libgenerated$i.so" "$work/generated$i.c" -Wl,-soname,libgenerated$i.so &
	done
	wait
	program generated generated0 -lgenerated1 -lgenerated2 -lgenerated3
	case $flags in
	*lazy*) same all=0 'libgenerated.\.so' "$work/generated" ;;
	*no-plt* | *mold*) same all=10 'libgenerated.\.so' "$work/generated" ;;
	*) same 10 'libgenerated.\.so' "$work/generated" ;;
	esac
	((failed)) && echo "seed $1: $flags"
}

seed=0
for ((; seed < ${#flavours[@]}; seed++)); do
	generated $seed
done
end=$((SECONDS + ${RELINK_SOAK_SECONDS:-20}))
while [ -n "${RELINK_ALL_ROWS:-}" ] && ((SECONDS < end && !failed)); do
	generated $((seed++))
done
finish
