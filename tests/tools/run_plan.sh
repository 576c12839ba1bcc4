#!/bin/bash
# SPDX-License-Identifier: MIT
# run_plan.sh: relink run --dry-run: the calls it counts are those that are there and that a run finds; it runs nothing of the program,
# and every file that is none gets its line.
set -u -o pipefail

tool=${RELINK_TOOL:?}
sites=$RELINK_TEST_BIN/unit.elf_sitemap
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
export XDG_CACHE_HOME=$work/cache
failed=0 passed=0

[ "$(uname -m)" = x86_64 ] && [ "${RELINK_ARCH:-native}" = native ] || { echo "skipped: programs of this machine are not x86-64's"; exit 77; }
for what in python3 "$CC"; do
	command -v "$what" >/dev/null || { echo "skipped: no $what"; exit 77; }
done

check() {
	local name=$1
	shift
	if "$@"; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "failed: $name"
		[ ! -s "$work/err" ] || head -n 3 "$work/err"
	fi
}

# says NAME STATUS WORDS COMMAND...: it ends so, with one line on standard error that has these words, or none if there are none.
says() {
	local name=$1 wanted=$2 words=$3 status=0
	shift 3
	"$@" >"$work/out" 2>"$work/err" || status=$?
	check "$name: status $status, not $wanted" [ "$status" -eq "$wanted" ]
	if [ -n "$words" ]; then
		check "$name: its line lacks \"$words\"" grep -qF -- "$words" "$work/err"
		check "$name: one line" [ "$(wc -l <"$work/err")" -eq 1 ]
	else
		check "$name: nothing to complain about" [ ! -s "$work/err" ]
	fi
}

# field MODULE KEY: of the JSON in $work/json; MODULE "" is the whole.
field() {
	python3 - "$work/json" "$1" "$2" <<-'END'
		import json, sys
		top = json.load(open(sys.argv[1]))
		rows = [m for m in top["modules"] if m["module"].rsplit("/", 1)[-1] == sys.argv[2]] if sys.argv[2] else [top]
		value = rows[0] if len(rows) == 1 else {}
		for key in sys.argv[3].split("."):
		    value = value.get(key) if isinstance(value, dict) else None
		print(value)
	END
}

is() {
	local have
	have=$(field "$1" "$2")
	check "$1 $2 is $have, not $3" [ "$have" = "$3" ]
}

# ---- a program and two libraries; whatever runs leaves a mark ----

cat >"$work/one.c" <<'END'
#include <stdio.h>
int two(int);
__attribute__((constructor)) static void mark(void) { FILE *f = fopen(MARK, "w"); if (f) fclose(f); }
int one(int x) { return x > 100 ? two(x) : puts("one") + two(x - 1); }
int own(int x) { return one(x) + two(x) + one(x + 1); }
END
cat >"$work/two.c" <<'END'
int two(int x) { return x * 3; }
END
cat >"$work/prog.c" <<'END'
int own(int), two(int), callback(int);
int callback(int x) { return two(x); }
int main(void) { return own(1) + callback(2) > 0 ? 0 : 1; }
END
build() {
	"$CC" -O2 -w "$@" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
}
cd "$work" || exit 2
build -fPIC -shared -o libtwo.so two.c
build -fPIC -shared -Wl,-z,lazy -DMARK="\"$work/mark\"" -o libone.so one.c -L. -ltwo
build -fPIE -pie -Wl,-z,now -o prog prog.c -L. -lone -ltwo -Wl,-rpath,"$work" -Wl,-rpath-link,"$work"
export LD_LIBRARY_PATH=$work

says "the table" 0 "" "$tool" run --dry-run ./prog
for module in prog libone.so libtwo.so libc.so.6; do
	check "$module in the table" grep -q "^$module " out
done
check "the sum" grep -q "could be bound" out
check "what is too far" grep -q -- "--place" out
says "JSON" 0 "" "$tool" run --dry-run --json ./prog
cp out json
check "nothing of the program runs" [ ! -e mark ]

# what is found is what decoding each module finds
for module in prog libone.so libtwo.so libc.so.6; do
	path=$(field "$module" module)
	"$sites" sites "$path" | awk '/^(call|tail|pointer)/ { n[$1]++ } END { print n["call"]+0, n["tail"]+0, n["pointer-call"]+0, n["pointer-tail"]+0 }' >counts
	read -r call tail pointer_call pointer_tail <counts
	is "$module" sites.call "$call"
	is "$module" sites.tail "$tail"
	is "$module" sites.pointer_call "$pointer_call"
	is "$module" sites.pointer_tail "$pointer_tail"
	is "$module" found $((call + tail + pointer_call + pointer_tail))
done
is prog too_far "$(field prog found)"
is libone.so too_far 0
is libone.so lazy "$(field libone.so found)"
is libone.so private_bytes 4096
is libtwo.so lazy 0
is prog lazy 0
is prog program True
is "" budget_bytes 8388608

# ---- options ----

says "--only" 0 "" "$tool" run --dry-run --json --only libone ./prog
cp out json
is "" found "$(field libone.so found)"
is prog why "not among those asked for"
says "--not" 0 "" "$tool" run --dry-run --json --not libone.so --not libc ./prog
cp out json
is libone.so why excluded
is libc.so.6 why excluded
is libone.so found 0
says "--place --now --budget" 0 "" "$tool" run --dry-run --json --place --now --budget 3k ./prog
cp out json
is prog too_far 0
is libone.so lazy 0
is "" budget_bytes 3072
says "a budget that is too small" 0 "" "$tool" run --dry-run --budget 4096 ./prog
check "is said to be" grep -q "more than the budget" out

# ---- a run finds the same ----

if [ -z "${RELINK_SANITIZE:-}" ] && "$tool" run --policy all --now --json --report="$work/report" ./prog >/dev/null 2>err && [ -s report ]; then
	"$tool" run --dry-run --json ./prog >json
	for module in prog libone.so libtwo.so; do
		have=$(python3 -c 'import json, sys
print(next(m["found"] for m in json.load(open(sys.argv[1]))["modules"] if m["module"].endswith("/" + sys.argv[2])))' report "$module")
		is "$module" found "$have"
	done
	check "it has run" [ -e mark ]
else
	echo "skipped: a run to compare with: ${RELINK_SANITIZE:-it is not possible here}; $(head -n 1 err)"
fi
rm -f mark

# ---- what is no such program ----

says "no program" 127 "no such program" "$tool" run --dry-run ./none
build -static -o static two.c -x c - <<<'int main(void) { return 0; }'
says "static" 1 "statically linked" "$tool" run --dry-run ./static
mv libtwo.so away.so
says "a library that is not there" 2 "libtwo.so" "$tool" run --dry-run ./prog
mv away.so libtwo.so
printf '#!/bin/sh\n' >script
chmod +x script
says "a script" 0 "" "$tool" run --dry-run ./script
printf '#!/usr/bin/env sh\n' >script
says "a script by way of env" 2 "name that one" "$tool" run --dry-run ./script
printf 'touch %s\n' "$work/mark" >ld-evil.so
chmod +x ld-evil.so
for loader in "$work/ld-evil.so" /lib/../../../../../../../../../..$work/ld-evil.so /usr/bin/touch; do
	build -fPIE -pie -Wl,--dynamic-linker="$loader" -o strange prog.c -L. -lone -ltwo -Wl,-rpath-link,"$work"
	says "a loader of one's own" 2 "not one of the system's" "$tool" run --dry-run ./strange
done
check "it is not run" [ ! -e mark ]
size=$(stat -c %s prog)
for cut in 1 4 63 64 100 700 1000 $((size / 4)) $((size / 2)) $((size - 1)); do
	head -c "$cut" prog >cut
	chmod +x cut
	"$tool" run --dry-run ./cut >out 2>err
	status=$?
	check "cut off at $cut: status $status" [ "$status" -lt 128 ]
	check "cut off at $cut: a line" [ -s err -o "$status" -eq 0 ]
done
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
