#!/bin/bash
# SPDX-License-Identifier: MIT
# test: TIMEOUT 120
# api.sh - relink_linkage() and its company, as programs call them.
. "$RELINK_SOURCE/tests/linkage/lib.sh"

for flavour in "now -Wl,-z,now" "norelro -Wl,-z,now,-z,norelro"; do
	read -r name flags <<<"$flavour"
	library sub sub.c $flags
	"$cc" -D_GNU_SOURCE -DRELINK_TEST -g -O2 -w -pthread -I"$RELINK_SOURCE/include" -o "$work/api" "$here/api.c" -L"$work" -lsub "$RELINK_SHARED_LIB" \
		-Wl,-rpath,"$work:$(dirname "$RELINK_SHARED_LIB")" || broken api
	for how in misuse early "hooks learn" "hooks all" "reverts learn" "reverts all" "live learn" "live all" "stop learn" "stop all"; do
		if "$work/api" $how >"$work/out" 2>&1; then
			pass
		else
			fail "$name $how" "$(tail -8 "$work/out")"
		fi
	done
done

if [ "$(id -u)" = 0 ] && chown nobody "$work/api" && chmod 4755 "$work/api"; then
	if su -s /bin/sh nobody -c "test -x '$RELINK_SHARED_LIB'" 2>/dev/null; then
		"$work/api" secure >"$work/out" 2>&1 && pass || fail "AT_SECURE" "$(cat "$work/out")"
	else
		skip "AT_SECURE: librelink.so can't be read by others"
	fi
else
	skip "AT_SECURE: only root can make a program of somebody else's"
fi
finish
