#!/bin/bash
# SPDX-License-Identifier: MIT
# test: TIMEOUT 60
# report.sh - --report of programs that close standard error, that have children, and where it can't be written.
. "$RELINK_SOURCE/tests/linkage/lib.sh"

run() { "$RELINK_TOOL" run --no-cache "$@"; }
lines() { grep -c '^start-up' "$1"; }

# ls closes standard error before it ends.
run --report ls / 2>"$work/err" >/dev/null
[ "$(lines "$work/err")" = 1 ] && pass || fail "closed standard error" "$(cat "$work/err")"

cat >"$work/child.c" <<'EOF'
#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
int main(int argc, char **argv)
{
	if (argc > 1) { /* another file where standard error was */
		for (int i = 2; i < 1024; i++)
			close(i);
		int file = open(argv[1], O_WRONLY | O_CREAT | O_TRUNC, 0600);
		for (int i = 3; i < 300; i++)
			dup2(file, i);
		return 0;
	}
	if (!fork())
		exit(0);
	wait(NULL);
	return 0;
}
EOF
"$cc" -D_GNU_SOURCE -w -o "$work/child" "$work/child.c"
run --report "$work/child" 2>"$work/err"
[ "$(lines "$work/err")" = 1 ] && pass || fail "a child" "$(lines "$work/err") reports"
run --report="$work/report" "$work/child" && [ "$(lines "$work/report")" = 1 ] && pass || fail "a child, to a file"
run --report "$work/child" "$work/data" 2>"$work/err"
[ -f "$work/data" ] && [ ! -s "$work/data" ] && pass || fail "another file" "$(cat "$work/data")"

# A daemon does not hold the other end of the pipe.
if run --report sh -c 'sleep 20 >/dev/null 2>&1 </dev/null &' 2>&1 >/dev/null | timeout 10 cat >"$work/err"; then pass; else fail "a daemon" "holds standard error"; fi

run --report="$work/none/report" true 2>"$work/err"
[ $? = 2 ] && grep -q "none/report: the report can't be written: No such file" "$work/err" && pass || fail "no folder" "$(cat "$work/err")"
run --report= true 2>"$work/err"
[ $? = 2 ] && grep -q "a value is missing" "$work/err" && pass || fail "no name" "$(cat "$work/err")"
mkdir "$work/gone" && cd "$work/gone" && rmdir "$work/gone"
run --report=x true 2>"$work/err"
[ $? = 2 ] && grep -q "write the whole path" "$work/err" && pass || fail "no directory" "$(cat "$work/err")"
cd /
RELINK_LINKAGE=report="$work" LD_PRELOAD=${RELINK_TOOL%/*}/../librelink-run.so "$work/child" 2>"$work/err"
[ $? = 0 ] && grep -q "relink: the report can't be written to $work" "$work/err" && pass || fail "a folder" "$(cat "$work/err")"

# A budget of more than there can be is all, not what is left of the number.
cat >"$work/calls.c" <<'EOF'
int one(int n) { return n + 1; }
int calls(int n) { int sum = 0; for (int i = 0; i < n; i++) sum += one(i); return sum; }
EOF
echo 'int calls(int n); int main(void) { return calls(100) == 0; }' >"$work/main.c"
"$cc" -O1 -fno-inline -fPIC -shared -o "$work/libcalls.so" "$work/calls.c" -Wl,-z,now
"$cc" -o "$work/main" "$work/main.c" -L"$work" -lcalls -Wl,-rpath,"$work"
run --policy all --budget=17179869184G --report="$work/report" "$work/main"
grep -q '^libcalls.so *1 *1 ' "$work/report" && pass || fail "a large budget" "$(cat "$work/report")"

# What is left out has to be left out, however long the list is.
long=()
for ((i = 0; i < 600; i++)); do long+=(--not "l$i"); done
run --policy all "${long[@]}" --not libcalls --report="$work/report" "$work/main"
grep -q '^libcalls.so.*excluded' "$work/report" && pass || fail "a long list" "$(cat "$work/report")"

if [ -x "${RELINK_TOOL%/*}/libexec/relink-tool" ]; then
	"$RELINK_TOOL" linkage --live $$ 2>"$work/err"
	[ $? = 2 ] && grep -q "neither is given" "$work/err" && pass || fail "--live alone" "$(cat "$work/err")"
else
	skip "--live alone: this build has no relink linkage"
fi
finish
