#!/bin/bash
# SPDX-License-Identifier: MIT
# test: TIMEOUT 120
# many.sh - more slots than can be watched: what has to be seen is, and the next run learns the rest.
. "$RELINK_SOURCE/tests/linkage/lib.sh"

slots=9000
{
	echo ".text"
	for ((i = 0; i < slots; i++)); do
		echo ".globl f$i; .type f$i,@function; f$i: .cfi_startproc; ret; .cfi_endproc; .size f$i,.-f$i"
	done
	echo ".globl all; .type all,@function; all: .cfi_startproc; sub \$8,%rsp; .cfi_adjust_cfa_offset 8"
	for ((i = 0; i < slots; i++)); do echo "call f$i@PLT"; done
	echo "add \$8,%rsp; .cfi_adjust_cfa_offset -8; ret; .cfi_endproc; .size all,.-all"
	echo '.section .note.GNU-stack,"",@progbits'
} >"$work/many.s"
cat >"$work/shut.c" <<'EOF'
#include <sys/prctl.h>
void shut(void)
{
	prctl(PR_SET_SECCOMP, 99, 0, 0, 0); /* fails; but who knows that before */
}
EOF
cat >"$work/program.c" <<'EOF'
#include <time.h>
void all(void), shut(void);
int main(int argc, char **argv)
{
	/* Long enough that slots of a library that is known are watched again. */
	for (int i = 0; i < 100 || clock() < CLOCKS_PER_SEC * 2 / 5; i++)
		all();
	if (argc > 1)
		shut();
	return 0;
}
EOF
"$cc" -shared -o "$work/libmany.so" "$work/many.s" -Wl,-z,now
"$cc" -O2 -fPIC -shared -w -o "$work/libshut.so" "$work/shut.c" -Wl,-z,now
"$cc" -O2 -w -o "$work/program" "$work/program.c" -L"$work" -lmany -lshut -Wl,-rpath,"$work" || fail "program" "can't be built"

run() { "$RELINK_TOOL" run --budget 1G --report="$work/report" "$work/program" "$@"; }
bound() { awk '$1 == "libmany.so" { print $3 }' "$work/report"; }

run
first=$(bound)
grep -q "more slots than can be watched" "$work/report" && pass || fail "the report" "says nothing of it"
((first > 4000)) && pass || fail "the first run" "$first bound"
run
run
((first < slots && $(bound) >= slots)) && pass || fail "later runs" "$first, then $(bound) of $slots"

# Nothing is written behind a call that may begin a sandbox, a report neither.
rm -rf "$XDG_CACHE_HOME/relink" "$work/report"
run shut && [ ! -e "$work/report" ] && pass || fail "a sandbox" "was not noticed"
finish
