#!/bin/sh
# SPDX-License-Identifier: MIT
# test: TIMEOUT 900
#
# elf_relocs.sh - builds programs and shared objects with every compiler and linker at hand and compares what the ELF reader
# finds in them with what readelf and objdump say. LINKERS and COMPILERS select; what can't be built is skipped with a word.
#
# Per file:  all       relocations of executable sections, every field, in file order (readelf -r)
#            callee    the same for one symbol, through the map of wanted symbols
#            branches  every direct branch that objdump shows to callee has its relocation, and the other way round
#            targets   symbol + addend + 4 is where the branch goes, for section symbols (local functions) too
#            slots     GOT slots of undefined symbols (readelf -r, --dyn-syms); calls to the library go through one of them
#            build-id  readelf -n
#            stripped  after strip -g everything is still found, after strip nothing
set -u

top=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
tool=$work/elf_relocs
passed=0
failed=0
skipped=0

pass() {
	passed=$((passed + 1))
}

fail() {
	failed=$((failed + 1))
	echo "failed: $1"
	[ ! -s "$work/diff" ] || sed 's/^/    /' "$work/diff" | head -n 12
}

# same NAME EXPECTED ACTUAL: compares two files.
same() {
	if diff "$2" "$3" >"$work/diff" 2>&1; then pass; else fail "$1"; fi
}

have() {
	command -v "$1" >/dev/null 2>&1
}

# ---- sources ----

write_sources() {
	cat >"$work/callee.c" <<-'END'
		int callee(int x) { return x + 1; }
		int other(int x) { return x * 3; }
	END
	cat >"$work/user.c" <<-'END'
		#define OUT_OF_LINE __attribute__((noinline, section(".text.unlikely")))
		int callee(int), other(int), elsewhere(int);
		int (*volatile pointer)(int) = callee;
		int (*volatile imported)(int) = elsewhere;
		/* Local and in a section of their own: the assembler names the section and an offset. */
		static OUT_OF_LINE int first(int x) { __asm__ volatile("" ::: "memory"); return callee(x) + 2; }
		static OUT_OF_LINE int second(int x) { __asm__ volatile("" ::: "memory"); return callee(x) - 2; }
		int direct(int x) { return callee(x) + callee(x + 1) + other(x) + elsewhere(x); }
		int tail(int x) { return callee(x + 7); }
		int conditional(int x) { return x > 3 ? callee(x) : 4; }
		int (*address(void))(int) { return callee; }
		int local(int x) { return first(x) + second(x + 3) * first(2 * x); }
		__attribute__((section(".init.text"))) int early(int x) { return callee(x) + second(x); }
	END
	cat >"$work/elsewhere.c" <<-'END'
		int elsewhere(int x) { return x * 5; }
	END
	cat >"$work/main.c" <<-'END'
		#include <stdio.h>
		int direct(int), tail(int), conditional(int), local(int), early(int);
		int (*address(void))(int);
		int main(int argc, char **argv)
		{
			(void)argv;
			printf("%d\n", direct(argc) + tail(argc) + conditional(argc) + local(argc) + early(argc) + address()(argc));
			return 0;
		}
	END
	cat >"$work/bare.c" <<-'END'
		void _start(void);
		int direct(int), tail(int), conditional(int), local(int), early(int);
		void _start(void) { direct(1); tail(2); conditional(3); local(4); early(5); }
	END
}

# ---- what other tools say ----

# The names of the kept relocation sections of executable sections, in brackets.
code_sections() {
	readelf -SW "$1" | sed -n 's/^ *\[ *\([0-9]*\)\] *\([^ ]*\)/\1 \2/p' | awk '
		{ name[$1] = $2; type[$1] = $3; flags[$1] = $8; info[$1] = $(NF - 1); n = $1 }
		END {
			for (i = 0; i <= n; i++)
				if (type[i] == "RELA" && flags[i] !~ /A/ && type[info[i]] == "PROGBITS" && flags[info[i]] ~ /AX/)
					printf "[%s]", name[i]
		}'
}

# place info addend name, of all relocations for code.
expected_relocs() {
	readelf -rW "$1" 2>/dev/null | awk -v sections="$(code_sections "$1")" '
		/^Relocation section/ { gsub(/\047/, "", $3); code = index(sections, "[" $3 "]") }
		code && $1 ~ /^[0-9a-f]+$/ && length($1) == 16 {
			sign = $(NF - 1) == "-" ? "-" : "+"
			name = $5; sub(/@.*/, "", name)
			print $1, $2, sign, $NF, name
		}'
}

# address lazy name, of the slots that the loader fills with the address of an undefined symbol.
expected_slots() {
	{ readelf -W --dyn-syms "$1"; readelf -rW "$1"; } 2>/dev/null | awk '
		$1 ~ /^[0-9]+:$/ && $7 == "UND" { sub(/:/, "", $1); undefined[sprintf("%08x", $1)] = 1 }
		/^Relocation section/ { loaded = $3 ~ /\.(dyn|plt)/ }
		loaded && $3 ~ /_(JUMP_SLOT|GLOB_DAT|64|ABS64)$/ && undefined[substr($2, 1, 8)] && $NF == "0" && NF == 7 {
			sub(/@.*/, "", $5)
			print $1, $3 ~ /JUMP_SLOT/ ? 1 : 0, $5
		}'
}

# "direct" or "indirect", place of the 4-byte distance, where it points to, name; of all such branches.
branches() {
	objdump -dw "$1" | awk -F '\t' '
		function hex(s,  i, n) {
			for (i = 1; i <= length(s); i++)
				n = n * 16 + index("0123456789abcdef", substr(s, i, 1)) - 1
			return n
		}
		$3 ~ /(call|j[a-z]+) +([0-9a-f]+ <|\*.*\(%rip\))/ {
			bytes = split($2, unused, " ")
			gsub(/[ :]/, "", $1)
			n = split($3, word, " ")
			how = index($3, "*") ? "indirect" : "direct"
			if (bytes >= 5)
				printf "%s %.0f %.0f %s\n", how, hex($1) + bytes - 4, hex(word[n - 1]), word[n]
		}'
}

# ---- comparisons ----

# Columns in decimal: place type kind target, of relocations on standard input; address name, of slots.
decimal() {
	awk '
		function hex(s,  i, n) {
			for (i = 1; i <= length(s); i++)
				n = n * 16 + index("0123456789abcdef", substr(s, i, 1)) - 1
			return n
		}
		NF == 3 { printf "%.0f %s\n", hex($1), $3 }
		NF == 6 { printf "%.0f %d %s %.0f\n", hex($1), hex(substr($2, 9)), $5, $6 == "-" ? -1 : hex($6) }'
}

# How many direct branches to callee the compilers make of the source: with -fno-plt clang loads the address into a register where it
# is called twice, and shared objects call through the GOT.
direct_branches() {
	case $1 in
	*shared*-fno-plt) echo 0 ;;
	clang*-fno-plt) echo 5 ;;
	*) echo 7 ;;
	esac
}

# Every direct branch to callee has its relocation, one byte further where a relaxed jump was moved (lld, gold), and every relocation
# that means a branch (4 PLT32, 41 GOTPCRELX) is at one. Branches in .plt are the linker's own.
check_branches() {
	"$tool" relocs "$2" callee | decimal >"$work/ours"
	awk -v count="$(direct_branches "$1")" 'NR == FNR { type[$1] = $2; next }
		{ seen[$2]; if ($1 == "direct") seen[$2 + 1] }
		$1 == "direct" && $4 ~ /^<callee(@@Base)?(@plt)?>$/ {
			total++
			if (!($2 in type) && type[$2 + 1] != 41)
				print "no relocation for the branch at", $2
		}
		END {
			for (place in type)
				if ((type[place] == 4 || type[place] == 41) && !(place in seen))
					print "no branch at", place
			if (total + 0 != count)
				print total + 0, "instead of", count, "branches to callee"
		}' "$work/ours" "$work/branches" >"$work/diff"
	if [ -s "$work/diff" ]; then fail "$1: branches"; else pass; fi
}

# Shared objects go through .plt for everything that is not local (3: a section symbol); 10 is an ifunc, through .plt always.
check_targets() {
	"$tool" relocs "$2" | decimal >"$work/ours"
	awk -v shared="$3" 'NR == FNR { if ($1 == "direct") target[$2] = $3; next }
		($2 == 2 || $2 == 4 || $2 == 41) && ($1 in target) && $3 != "undefined" && $3 != 10 && (!shared || $3 == 3) {
			total[$3]++
			if (target[$1] != $4 + 4)
				print "the branch at", $1, "goes to", target[$1], "not to", $4 + 4
		}
		END {
			if (total[3] < 4)
				print "only", total[3] + 0, "branches to local functions"
			if (!shared && total[2] < 10)
				print "only", total[2] + 0, "branches to functions"
		}' "$work/branches" "$work/ours" >"$work/diff"
	if [ -s "$work/diff" ]; then fail "$1: targets"; else pass; fi
}

check_relocs() {
	expected_relocs "$2" >"$work/expected"
	[ -s "$work/expected" ] || echo "no relocations" >"$work/expected"
	cut -d ' ' -f 1-4 "$work/expected" >"$work/all"
	"$tool" relocs "$2" | cut -d ' ' -f 1-4 >"$work/ours"
	same "$1: all" "$work/all" "$work/ours"
	awk '$5 == "callee" { print $1, $2, $3, $4 }' "$work/expected" >"$work/callee"
	"$tool" relocs "$2" callee | cut -d ' ' -f 1-4 >"$work/ours"
	same "$1: callee" "$work/callee" "$work/ours"
}

check_slots() {
	expected_slots "$2" >"$work/expected"
	"$tool" slots "$2" >"$work/ours"
	same "$1: slots" "$work/expected" "$work/ours"
	case $3 in
	static*) expected='^0$' ;;
	*) expected='^[1-9]' ;;
	esac
	if wc -l <"$work/ours" | tr -d ' ' | grep -q "$expected"; then pass; else fail "$1: number of slots"; fi
}

# The code reaches the library through the slots that we list.
check_linkage() {
	"$tool" slots "$2" | decimal >"$work/ours"
	awk 'NR == FNR { if ($2 == "elsewhere") slot[$1]; next }
		$1 == "indirect" && ($3 in slot) { used++ }
		$1 == "indirect" && $4 ~ /^<elsewhere/ && !($3 in slot) { print "no slot at", $3 }
		END { if (!used) print "no call through a slot" }' "$work/ours" "$work/branches" >"$work/diff"
	if [ -s "$work/diff" ]; then fail "$1: linkage"; else pass; fi
}

check_build_id() {
	readelf -nW "$2" 2>/dev/null | sed -n 's/.*Build ID: //p' >"$work/expected"
	[ -s "$work/expected" ] || echo "no build-id" >"$work/expected"
	"$tool" build-id "$2" >"$work/ours"
	same "$1: build-id" "$work/expected" "$work/ours"
}

# place and type only: strip renumbers the symbols.
places() {
	"$tool" relocs "$1" callee | sed 's/ ......../ /' | cut -d ' ' -f 1-4
}

check_stripped() {
	places "$2" >"$work/expected"
	strip -g -o "$work/stripped" "$2" 2>/dev/null && places "$work/stripped" >"$work/ours"
	same "$1: strip -g" "$work/expected" "$work/ours"
	strip -o "$work/stripped" "$2" && "$tool" relocs "$work/stripped" >"$work/ours"
	same "$1: strip" /dev/null "$work/ours"
}

check_file() {
	: >"$work/diff"
	shared=0
	case $1 in *" shared"*) shared=1 ;; esac
	branches "$2" >"$work/branches"
	check_relocs "$1" "$2"
	check_branches "$1" "$2"
	check_targets "$1" "$2" $shared
	check_slots "$1" "$2" "$3"
	case $3 in static*) ;; *) check_linkage "$1" "$2" ;; esac
	check_build_id "$1" "$2"
	check_stripped "$1" "$2"
}

# ---- files ----

kind_flags() {
	case $1 in
	pie) echo "-fPIE -pie" ;;
	no-pie) echo "-fno-pie -no-pie" ;;
	static) echo "-fno-pie -static" ;;
	static-pie) echo "-fPIE -static-pie" ;;
	shared) echo "-fPIC -shared" ;;
	esac
}

# Dynamic files import `elsewhere` from a library, static ones contain it.
other_inputs() {
	case $1 in
	static*) echo "$work/elsewhere.c" ;;
	*) echo "$work/libelsewhere.so" ;;
	esac
}

native() {
	name="$1 $2 $3${4:+ $4}"
	# shellcheck disable=SC2046,SC2086
	if ! "$1" -O2 $(kind_flags "$3") $4 -fuse-ld="$2" -Wl,--emit-relocs -Wl,--build-id=sha1 -Wl,-z,lazy -o "$work/file" \
		"$work/callee.c" "$work/user.c" "$work/main.c" $(other_inputs "$3") 2>"$work/diff"; then
		skipped=$((skipped + 1))
		echo "skipped: $name: $(grep -v warning "$work/diff" | head -n 1)"
		return
	fi
	check_file "$name" "$work/file" "$3"
}

natives() {
	for cc in ${COMPILERS:-gcc clang}; do
		for ld in ${LINKERS:-bfd lld mold}; do
			if ! have "$cc" || ! have "ld.$ld"; then continue; fi
			for kind in pie no-pie static static-pie shared; do
				for flags in "" "-g -fno-plt" "-ffunction-sections -Wl,--gc-sections"; do
					native "$cc" "$ld" "$kind" "$flags"
				done
			done
		done
	done
}

# Nothing is said where clang lacks the machine.
foreign_object() {
	clang --target="$1-linux-gnu" -O2 -fPIC -ffreestanding -c "$work/$2.c" -o "$work/$2.o" 2>/dev/null
}

# Other machines need no C library: relocations and slots are the same question without one.
foreign() {
	name="clang $1 $2 $3"
	for source in callee user bare; do
		foreign_object "$2" $source || return
	done
	case $3 in
	shared) how="-shared --unresolved-symbols=ignore-all" ;;
	*) how="-pie $work/libforeign.so" ;;
	esac
	# shellcheck disable=SC2086
	if ! "ld.$1" --emit-relocs --build-id=sha1 -o "$work/file" "$work/callee.o" "$work/user.o" "$work/bare.o" $how \
		2>"$work/diff"; then
		skipped=$((skipped + 1))
		echo "skipped: $name: $(head -n 1 "$work/diff")"
		return
	fi
	: >"$work/diff"
	check_relocs "$name" "$work/file"
	check_slots "$name" "$work/file" "$3"
	check_build_id "$name" "$work/file"
}

foreigns() {
	have clang || return
	for ld in lld mold; do
		have "ld.$ld" || continue
		for machine in aarch64 riscv64; do
			foreign_object "$machine" elsewhere || continue
			"ld.$ld" -shared -o "$work/libforeign.so" "$work/elsewhere.o" || continue
			for kind in pie shared; do
				foreign $ld $machine $kind
			done
		done
	done
}

build_tool() {
	# shellcheck disable=SC2086
	${CC:-gcc} -std=gnu11 -D_GNU_SOURCE -DRELINK_INTERNAL -Wall -Wextra -Wpedantic -Werror $1 -I"$top/include" -I"$top/src" \
		"$top/tests/unit/elf_relocs.c" "$top/src/elf/relocs.c" -o "$tool"
}

# run_tool [MODE ARGUMENT]: a run of the test program that counts for itself.
run_tool() {
	if "$tool" "$@" >"$work/out" 2>&1; then pass; else cp "$work/out" "$work/diff"; fail "elf_relocs $*"; fi
	: >"$work/diff"
}

build_tool -O2 || exit 2
run_tool speed
head -n 1 "$work/out"
build_tool "-g -O1 -fsanitize=address,undefined -fno-sanitize-recover=all" || build_tool -g || exit 2
run_tool
write_sources
gcc -O2 -fPIC -shared "$work/elsewhere.c" -o "$work/libelsewhere.so" || exit 2
natives
[ ! -f "$work/file" ] || run_tool corrupt "$work/file"
foreigns
[ $skipped -eq 0 ] || echo "$skipped skipped"
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
