#!/bin/bash
# SPDX-License-Identifier: MIT
# The static checker on what compilers make of checker/*.c: every compiler, level and model, as objects, in archives, and linked in all
# ways. Each line says what is found there. Then what is configured: start-up code, suppressions; and what can't be read.
set -uo pipefail

tool=$RELINK_TOOL
here=$RELINK_SOURCE/tests/tools/checker
lines=$RELINK_SOURCE/tests/tools/checker_lines.py
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
passed=0 failed=0 skipped=0
[ "${RELINK_ARCH:-native}" = native ] && [ "$(uname -m)" = x86_64 ] || exit 77
command -v python3 >/dev/null || { echo "skipped: no python3"; exit 77; }
cd "$tmp" || exit 1

# result NAME STATUS [OUTPUT]
result() {
	if [ "$2" -eq 0 ]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		printf '%s: FAIL\n%s\n' "$1" "$(head -n 12 <<<"${3:-}")"
	fi
}

# found NAME "SOURCES" "DATA" FILE...: what the lines say, and nothing else
found() {
	local name=$1 sources=$2 data=$3 out status
	shift 3
	"$tool" check --json "$@" >"$tmp/json" 2>"$tmp/err"
	out=$(python3 "$lines" $sources -- $data <"$tmp/json" 2>&1)
	status=$?
	[ ! -s "$tmp/err" ] || { status=1; out+=$(cat "$tmp/err"); }
	result "$name" $status "$out"
}

# says NAME STATUS WORDS ARGUMENT...
says() {
	local name=$1 want=$2 words=$3 out status
	shift 3
	out=$("$tool" check "$@" 2>&1)
	status=$?
	[ $status -eq "$want" ] && grep -qE -- "$words" <<<"$out"
	result "$name" $? "status $status: $out"
}

writes=$here/writes.c other=$here/other.c hidden=$here/hidden.c
common="-std=gnu11 -g -D_GNU_SOURCE -I $RELINK_SOURCE/include"
in_data=414:inner

# ---- objects ----

compilers=
for cc in gcc clang; do
	command -v $cc >/dev/null && compilers+=" $cc" || skipped=$((skipped + 1))
done
for cc in $compilers; do
	for level in -O0 -O1 -O2 -O3 -Os; do
		for model in -fPIC -fPIE -fno-pie; do
			$cc $common $level $model -c "$writes" -o writes.o
			found "$cc $level $model, an object" "$writes" $in_data writes.o
		done
	done
	for flags in "-O2 -fPIC -fno-plt" "-O2 -ffunction-sections -fdata-sections" "-O3 -march=x86-64-v3" "-O3 -march=x86-64-v4" "-O2 -fcf-protection=full" \
		"-O2 -fstack-protector-all" "-O2 -fomit-frame-pointer -gdwarf-4"; do
		$cc $common $flags -c "$writes" -o writes.o
		found "$cc $flags, an object" "$writes" $in_data writes.o
	done
done
cc=${compilers# } cc=${cc%% *}
$cc -g -c "$here/stores.S" -o stores.o
found "instructions, an object" "$here/stores.S" "" stores.o
$cc -g -shared -nostdlib stores.o -o stores.so
found "instructions, a shared object" "$here/stores.S" "" stores.so

for cxx in g++ clang++; do
	command -v $cxx >/dev/null || { skipped=$((skipped + 1)); continue; }
	for flags in "-O0 -fPIC" "-O2 -fPIE" "-O2 -fno-pie -fno-exceptions"; do
		$cxx -std=gnu++17 -g $flags -I "$RELINK_SOURCE/include" -c "$here/dynamic.cc" -o dynamic.o
		found "$cxx $flags" "$here/dynamic.cc" "" dynamic.o
	done
done
: >empty.c
$cc -c empty.c -o empty.o
strip empty.o
"$tool" check empty.o >out 2>&1
result "an object that has nothing" $? "$(cat out)"

# ---- archives, and what one object has from another ----

$cc $common -O2 -fPIC -c "$writes" -o writes.o
$cc $common -O2 -fPIC -c "$other" -o other.o
$cc $common -O2 -fPIC -c "$hidden" -o hidden.o
found "objects" "$writes $other $hidden" $in_data writes.o other.o hidden.o
ar rc both.a writes.o other.o hidden.o
found "an archive" "$writes $other $hidden" $in_data both.a
ar rc other.a other.o
found "an object and an archive" "$writes $other" $in_data writes.o other.a
"$tool" check other.a >out 2>&1
result "an archive that has nothing marked" $? "$(cat out)"
cp other.o a-member-with-a-name-that-is-long.o
ar rc long.a a-member-with-a-name-that-is-long.o writes.o
says "long names of members" 1 'long.a\(a-member-with-a-name-that-is-long.o\): .*findings' long.a

# ---- linked ----

link() { # NAME "COMPILER FLAGS" "LINKER FLAGS"
	$cc $common $2 "$writes" "$other" "$hidden" "$RELINK_STATIC_LIB" $3 -pthread -ldl -o linked >out 2>&1 || { result "$1" 1 "$(cat out)"; return; }
	found "$1" "$writes $other $hidden" $in_data linked
}
for level in -O0 -O2; do
	link "$level PIE" "$level -fPIE" "-pie -Wl,--emit-relocs"
	link "$level not PIE" "$level -fno-pie" "-no-pie -Wl,--emit-relocs"
	link "$level PIE, no relocations" "$level -fPIE" "-pie"
	link "$level static" "$level -fno-pie" "-static -Wl,--emit-relocs"
	link "$level static PIE" "$level -fPIE" "-static-pie -Wl,--emit-relocs"
	link "$level shared" "$level -fPIC" "-shared -Wl,--emit-relocs"
done
for linker in lld mold; do
	if command -v ld.$linker >/dev/null; then
		link "PIE by $linker" "-O2 -fPIE -fuse-ld=$linker" "-pie -Wl,--emit-relocs"
	else
		skipped=$((skipped + 1))
	fi
done
link "link-time optimisation" "-O2 -flto" "-pie -Wl,--emit-relocs"
# Without relocations an address in an instruction is told from a number by its value alone, and one in data not at all.
$cc $common -O2 -fno-pie "$writes" "$other" "$hidden" "$RELINK_STATIC_LIB" -no-pie -pthread -ldl -o linked
found "not PIE, no relocations" "$writes $other $hidden" "" linked
# A program that writes what a shared object defines.
$cc $common -O2 -fPIC -shared "$writes" -Wl,-z,defs "$RELINK_STATIC_LIB" -Wl,--unresolved-symbols=ignore-all -pthread -o libwrites.so
$cc $common -O2 -fPIC -shared "$other" -o libother.so
found "two shared objects" "$writes $other" $in_data libwrites.so libother.so
# Nobody's names: still found, by record and place.
$cc $common -O2 -fPIE -pie "$writes" "$other" "$RELINK_STATIC_LIB" -pthread -ldl -o stripped -s
says "stripped" 1 'error: .*accelerated pointer codec\+8.*\[relink-401\]' stripped

# ---- start-up code ----

$cc $common -O2 -fPIC -c "$writes" -o writes.o
count() { "$tool" check "$@" --json writes.o | grep -c '"number": 401'; }
all=$(count)
[ "$(count --init-function 'configured')" -eq $((all - 1)) ]
result "--init-function" $?
[ "$(count --init-section 'my_*')" -eq $((all - 1)) ]
result "--init-section" $?
[ "$(count --init-section=my_init --init-function=configured --init-function='dir*')" -eq $((all - 4)) ]
result "several of them" $? "$(count --init-section=my_init --init-function=configured --init-function='dir*') of $all"

# ---- suppressions ----

cat >rules <<'EOF'
# what is known
40[1-6]  *              direct
401      codec+8        member    writes.c   # by whom
405      nobody
EOF
"$tool" check --json --suppressions rules writes.o >out
! grep -q '"function": "direct"\|"function": "member"' out && grep -q '"function": "element"' out
result "suppressions" $?
says "unused suppressions" 1 'rules:4: warning: the suppression "405 +nobody *" suppresses nothing \[relink-431\]' --suppressions rules --unused-suppressions writes.o
"$tool" check --suppressions rules --unused-suppressions --json writes.o >out
python3 -c '
import json, sys
unused = json.load(sys.stdin)["unused_suppressions"]
assert [(u["number"], u["file"], u["line"]) for u in unused] == [(431, "rules", 4)], unused' <out
result "unused suppressions, --json" $?
"$tool" check --suppressions rules --unused-suppressions --sarif writes.o >out
python3 -c '
import json, sys
run = json.load(sys.stdin)["runs"][0]
unused = [r for r in run["results"] if r["ruleId"] == "relink-431"]
assert len(unused) == 1 and unused[0]["locations"][0]["physicalLocation"]["region"]["startLine"] == 4, unused
assert {r["ruleId"] for r in run["results"]} <= {r["id"] for r in run["tool"]["driver"]["rules"]}
stores = [r for r in run["results"] if r["ruleId"] == "relink-401"]
assert stores and all(r["level"] == "error" and r["locations"][0]["logicalLocations"] for r in stores)' <out
result "--sarif" $?
echo '*' >rules
says "all is suppressed" 0 'all is well' --suppressions rules writes.o
echo 'handler 401' >rules
says "a rule without a number" 2 '^relink: rules: line 1: the first word is the number' --suppressions rules writes.o
printf '401 a b c d\n' >rules
says "a rule of five words" 2 '^relink: rules: line 1: more than number, variable, function and file' --suppressions rules writes.o
says "no such file of rules" 2 '^relink: none: No such file' --suppressions none writes.o
says "unused ones of no file" 2 'unused-suppressions is about' --unused-suppressions writes.o

# ---- what can't be read ----

says "list of an object" 0 'all is well|findings' other.o
for command in list show; do
	"$tool" $command writes.o >out 2>&1
	[ $? -eq 2 ] && grep -q 'writes.o: an object file: link it first' out
	result "$command of an object" $? "$(cat out)"
	"$tool" $command both.a >out 2>&1
	[ $? -eq 2 ] && grep -q 'both.a: an archive' out
	result "$command of an archive" $? "$(cat out)"
done
if [ "$cc" = gcc ] && gcc -O2 -flto -fno-fat-lto-objects -c "$other" -o slim.o 2>/dev/null; then
	says "an object without code" 2 'slim.o: compiled for link-time optimisation, it has no code yet: check the linked file' slim.o
	ar rc slim.a slim.o writes.o 2>/dev/null
	says "one in an archive" 2 'slim.a\(slim.o\): compiled for link-time' slim.a
fi
ar rcT thin.a writes.o
says "a thin archive" 2 'thin.a: a thin archive: name the objects that it lists' thin.a
head -c 3000 both.a >cut.a
says "a cut archive" 2 'cut.a: the archive is cut off' cut.a
printf '!<arch>\n' >empty.a
"$tool" check empty.a >out 2>&1
result "an empty archive" $? "$(cat out)"
echo text >text.o
ar rc text.a text.o
says "a member that is none" 2 'text.a\(text.o\): not an ELF file' text.a
head -c 700 writes.o >cut.o
says "a cut object" 2 'cut.o: .*cut off' cut.o
# Any bytes may be an archive: it ends by itself, with a status of its own.
cat >mutate.py <<'EOF'
import random, subprocess, sys
whole, random = open("both.a", "rb").read(), random.Random(1)
for case in range(120):
    data = bytearray(whole[:random.randrange(len(whole))] if case % 4 == 0 else whole)
    for _ in range(random.randrange(1, 8)):
        at = random.randrange(min(len(data), 400)) if case % 2 and data else random.randrange(max(len(data), 1))
        if data:
            data[at] = random.choice([0, 0xff, 0x7f, 0x20, 0x39, random.randrange(256)])
    open("mutant.a", "wb").write(data)
    status = subprocess.run([sys.argv[1], "check", "mutant.a"], capture_output=True, timeout=60).returncode
    if status not in (0, 1, 2):
        sys.exit(f"case {case}: status {status}")
EOF
out=$(python3 mutate.py "$tool" 2>&1)
result "damaged archives" $? "$out"

# Headers of other machines, by hand: class, byte order, machine.
foreign() { # NAME CLASS ORDER MACHINE WORDS
	local type='\x01\x00'
	[ "$3" = 2 ] && type='\x00\x01'
	{ printf "\\x7fELF\\x0$2\\x0$3\\x01\\0\\0\\0\\0\\0\\0\\0\\0\\0$type$4"; head -c 300 /dev/zero; } >foreign.o
	says "an object for $1" 2 "foreign.o: $5" foreign.o
	rm -f foreign.a
	ar rcS foreign.a foreign.o 2>/dev/null
	says "one for $1 in an archive" 2 "foreign.a\(foreign.o\): $5" foreign.a
}
foreign AArch64 2 1 '\xb7\x00' 'a file for AArch64'
foreign riscv64 2 1 '\xf3\x00' 'a file for RISC-V'
foreign i386 1 1 '\x03\x00' 'a 32-bit file for i386'
foreign x32 1 1 '\x3e\x00' 'a 32-bit file for x32'
foreign s390x 2 2 '\x00\x16' 'a big-endian file for S/390'
foreign ppc64 2 2 '\x00\x15' 'a big-endian file for PowerPC64'
foreign mips 1 2 '\x00\x08' 'a 32-bit file for MIPS'

echo "$passed passed, $failed failed, $skipped skipped"
[ $failed -eq 0 ] && [ $passed -gt 0 ]
