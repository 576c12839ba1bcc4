#!/bin/bash
# SPDX-License-Identifier: MIT
# relink run --place: a program's own calls of libraries become direct, which they can't be without; where it can't be placed the report
# says why.
set -uo pipefail

tool=$RELINK_TOOL
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
[ "${RELINK_ARCH:-native}" = native ] && [ "$(uname -m)" = x86_64 ] || exit 77
cd "$tmp" || exit 1
export XDG_CACHE_HOME=$tmp/cache
failed=0
wrong() {
	echo "$*"
	failed=1
}

cat >library.c <<'END'
int callee(int x);
int callee(int x)
{
	return x + 1;
}
END
cat >program.c <<'END'
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int callee(int x);
int main(void)
{
	const char *linkage = getenv("RELINK_LINKAGE");
	int x = 0;

	for (int i = 0; i < 100000; i++)
		x = callee(x);
	printf("%d %s\n", x, linkage ? linkage : "clean");
	return x != 100000;
}
END
"$CC" -O1 -shared -fPIC library.c -o libcallee.so || exit 1
"$CC" -O1 -fPIE -pie -fplt -Wl,-z,now program.c -o pie -L. -lcallee -Wl,-rpath,"$tmp" || exit 1
"$CC" -O1 -fno-pie -no-pie -fplt -Wl,-z,now program.c -o fixed -L. -lcallee -Wl,-rpath,"$tmp" || exit 1

# row MODULE COLUMN: found bound too-far left
row() {
	awk -v module="$1" -v column="$2" '$1 == module { print $(column + 1) }' report
}
for program in pie fixed; do
	for policy in hot all; do
		got=$("$tool" run --policy $policy --report="$tmp/report" ./$program) || wrong "$program does not run"
		[ "$got" = "100000 clean" ] || wrong "$program says $got"
		[ "$(row $program 2)" = 0 ] || wrong "$program ($policy): bound without placement: $(cat report)"
		[ $policy = hot ] || [ "$(row $program 3)" -gt 0 ] || wrong "$program: nothing is too far: $(cat report)"
		got=$("$tool" run --place --policy $policy --report="$tmp/report" ./$program) || wrong "$program does not run placed"
		[ "$got" = "100000 clean" ] || wrong "$program says $got, placed"
		[ "$(row $program 2)" -gt 0 ] || wrong "$program ($policy): nothing is bound: $(cat report)"
		[ "$(row $program 3)" = 0 ] || wrong "$program ($policy): something is too far: $(cat report)"
		! grep -q 'not placed' report || wrong "$program is not placed: $(cat report)"
	done
done
cp pie privileged && chmod g+s privileged
"$tool" run --place --report="$tmp/report" ./privileged >out || wrong "a set-group-ID program does not run: $(cat out)"
grep -q 'not placed near its libraries: its file gives privileges' report || wrong "no reason: $(cat report)"
printf '#!/usr/bin/env %s\n' "$tmp/pie" >script
chmod +x script
"$tool" run --place --report="$tmp/report" ./script >out || wrong "a script of env's does not run"
grep -q 'not placed near its libraries: it is started by another program' report || wrong "no reason for env: $(cat report)"
exit $failed
