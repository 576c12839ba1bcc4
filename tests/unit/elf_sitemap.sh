#!/bin/bash
# SPDX-License-Identifier: MIT
# test: TIMEOUT 600
#
# elf_sitemap.sh [FILE...]: the sites that decoding functions finds are those that objdump shows: in files that every compiler and
# linker at hand makes of one source, in every way of calling other modules, and in libraries of this machine (or the files
# named), none of these begun after RELINK_SITEMAP_SECONDS (6).
set -u -o pipefail

tool=${RELINK_TEST_BIN:?}/unit.elf_sitemap
limit=${RELINK_SITEMAP_SECONDS:-6}
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
passed=0 failed=0 skipped=0

skip() {
	echo "skipped: $1"
	exit 77
}
command -v objdump >/dev/null || skip "no objdump"
[ "$(uname -m)" = x86_64 ] || skip "compilers of this machine make no code of x86-64"
[ -x "$tool" ] || skip "no $tool"

fail() {
	failed=$((failed + 1))
	echo "failed: $*"
}

# objdump goes on where padding ends in the middle of what it takes for an instruction; from the function's start it sees the site.
shown_from_start() {
	local file=$1 site=$2 start=$3
	objdump -d -w "--start-address=0x$start" "--stop-address=$((0x$site + 6))" "$file" |
		grep -qE "^ *($(printf '%x|%x|%x|%x' $((0x$site)) $((0x$site - 1)) $((0x$site - 2)) $((0x$site - 3)))):.*(call|jmp)"
}

# Leaves the last line in $result.
compare() {
	local file=$1 name=$2 text status=0 word site start
	text=$(objdump -d -w "$file" 2>/dev/null | "$tool" objdump "$file" 2>&1) || status=$?
	result=${text##*$'\n'}
	if [ $status -eq 3 ]; then
		status=0
		while read -r word word site start; do
			shown_from_start "$file" "$site" "$start" || status=1
		done < <(grep '^only here:' <<<"$text")
	fi
	if [ $status -ne 0 ]; then
		fail "$name"
		head -n 12 <<<"$text"
	else
		passed=$((passed + 1))
	fi
	return $status
}

# want NAME WORD N: the number in front of WORD in $result is at least N.
want() {
	local have
	have=$(grep -oE "[0-9]+ $2" <<<"$result" | head -n 1)
	[ "${have%% *}" -ge "$3" ] 2>/dev/null || fail "$1: $result; wanted at least $3 $2"
}

# ---- every form ----

cat >"$work/source.c" <<'END'
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static __thread int hidden;
__thread int visible;
extern __thread int elsewhere;

/* An ifunc of our own, called from within: a stub with or without a name. */
static int chosen(int x) { return x + 1; }
static void *choose(void) { return (void *)chosen; }
#ifdef NO_LOCAL_IFUNC
#define local_ifunc chosen
#else
__attribute__((visibility("hidden"))) int local_ifunc(int) __attribute__((ifunc("choose")));
#endif
int global_ifunc(int) __attribute__((ifunc("choose")));

int exported(int x) { return x * 3 + local_ifunc(x) + global_ifunc(x); }
int calls(const char *a, const char *b)
{
	puts(a);
	puts(b);
	hidden += (int)strlen(a);
	return exported(strcmp(a, b)) + hidden + visible + (int)floor(atof(a));
}
int tail(const char *a) { return puts(a); }
int tail_of_branch(const char *a) { return a ? puts(a) : puts("none"); }
int jumps(int x, const char *a)
{
	switch (x) {
	case 0: return puts(a);
	case 1: return calls(a, a);
	case 2: return (int)strtol(a, NULL, 3);
	case 3: return exported(x);
	case 4: return system(a);
	case 5: return atoi(a);
	case 6: abort();
	default: return 0;
	}
}
int (*pointer(void))(const char *) { return puts; }
__asm__(".text\n.globl data_in_text\n.type data_in_text,@function\ndata_in_text:\n.cfi_startproc\n"
	"jmp 1f\n.ascii \"no code: \\350\\350\\350\\350\\351\\377\\025\"\n.balign 16, 0x90\n1: .byte 0xf2\ncall puts@PLT\n"
	"jne puts@PLT\njmp puts@PLT\n.cfi_endproc\n.size data_in_text, . - data_in_text\n");
__asm__(".text\n.globl conditional\n.type conditional,@function\nconditional:\n.cfi_startproc\njne puts@PLT\nret\n.cfi_endproc\n"
	".size conditional, . - conditional\n");
__asm__(".text\n.globl no_frame\n.type no_frame,@function\nno_frame: call puts@PLT\ncall *puts@GOTPCREL(%rip)\n.byte 0xf2\njmp puts@PLT\n"
	".size no_frame, . - no_frame\n");
#ifdef MAIN
__thread int elsewhere;
int main(int argc, char **argv) { return argc > 100 ? jumps(argc, argv[0]) : 0; }
#endif
END

build() {
	local name=$1
	shift
	if ! "$@" -w -O2 -o "$work/$name" "$work/source.c" -lm >"$work/log" 2>&1; then
		skipped=$((skipped + 1))
		echo "skipped: $name: $(grep -m 1 -iE 'error|unknown|unrecog' "$work/log")"
		return 1
	fi
}

one() {
	local name=$1 calls=$2 pointer_calls=$3
	shift 3
	build "$name" "$@" || return
	compare "$work/$name" "$name" || return
	want "$name" "e8" "$calls"
	want "$name" "ff 15" "$pointer_calls"
	want "$name" "left" 1
	cp "$work/$name" "$work/$name.stripped"
	strip "$work/$name.stripped"
	"$tool" sites "$work/$name" >"$work/with"
	"$tool" sites "$work/$name.stripped" >"$work/without"
	cmp -s "$work/with" "$work/without" || fail "$name: other sites when stripped"
}

linkers=bfd
for linker in lld mold gold; do
	if command -v ld.$linker >/dev/null || command -v $linker >/dev/null; then
		linkers+=" $linker"
	else
		echo "skipped: no $linker"
	fi
done
for cc in gcc clang; do
	command -v $cc >/dev/null || { echo "skipped: no $cc"; continue; }
	for linker in $linkers; do
		ld=-fuse-ld=$linker
		[ "$linker" = bfd ] && [ $cc = clang ] && ld=
		# lld's slots of ifuncs that nobody else sees may be anybody's variables, unless they become read-only
		[ $linker != lld ] || ld+=" -Wl,-z,now"
		one $cc-$linker-now-so 8 1 $cc $ld -fPIC -shared -Wl,-z,now
		one $cc-$linker-lazy-so 8 1 $cc $ld -fPIC -shared -Wl,-z,lazy $([ $linker != lld ] || echo -DNO_LOCAL_IFUNC)
		one $cc-$linker-no-plt-so 1 6 $cc $ld -fPIC -shared -fno-plt
		one $cc-$linker-pie 6 1 $cc $ld -fPIE -pie -DMAIN
		one $cc-$linker-no-pie 6 0 $cc $ld -fno-pie -no-pie -DMAIN
		one $cc-$linker-cet-so 8 1 $cc $ld -fPIC -shared -fcf-protection=full -Wl,-z,ibtplt
		# without unwind tables: functions that others see are known by their symbols
		one $cc-$linker-no-frames-so 4 1 $cc $ld -fPIC -shared -fno-asynchronous-unwind-tables -fno-unwind-tables
	done
	[[ $linkers != *lld* ]] || one $cc-lld-retpoline-so 8 1 $cc -fuse-ld=lld -fPIC -shared -Wl,-z,retpolineplt -Wl,-z,now
done

# ---- slots that code reads, which nothing may be put into ----

cat >"$work/reads.c" <<'END'
int first(void), second(void), third(void), fourth(void), fifth(void);
int calls(void) { return first() + second() + third() + fourth() + fifth(); }
#define SLOT(n) "_GLOBAL_OFFSET_TABLE_ + 24 + 8 * " #n
/* The first is in nobody's function; the last only looks like it, within an immediate. */
__asm__(".text\nmov " SLOT(0) "(%rip), %rax\nret\n.balign 16\n.globl reads\n.type reads,@function\nreads:\n.cfi_startproc\n"
	"lea " SLOT(1) "(%rip), %rdx\ncmpq $1, " SLOT(2) "(%rip)\nmovabs $0x0000000000, %rcx\n.byte 0x48, 0xb8, 0x05\n.long " SLOT(3)
	" - . - 4\n.byte 0, 0, 0\nret\n.cfi_endproc\n.size reads, . - reads\n");
END
if gcc -w -O2 -fPIC -shared -nostdlib -Wl,-z,lazy -o "$work/reads" "$work/reads.c" 2>"$work/log"; then
	"$tool" sites "$work/reads" | awk '$1 == "read" { print $2 }' >"$work/have"
	objdump -d -w --no-show-raw-insn "$work/reads" | grep -E '(mov|lea|cmpq) .*\(%rip\)' | grep -oE '# [0-9a-f]+' |
		awk '{ print $2 }' | sort -u >"$work/wanted"
	if [ "$(wc -l <"$work/wanted")" -eq 3 ] && cmp -s "$work/have" "$work/wanted"; then
		passed=$((passed + 1))
	else
		fail "slots that are read: $(paste -sd' ' "$work/have"), wanted $(paste -sd' ' "$work/wanted")"
	fi
else
	skipped=$((skipped + 1))
	echo "skipped: slots that are read: $(head -n 1 "$work/log")"
fi

# ---- this machine ----

libraries() {
	local name dir
	for name in libsqlite3.so.0 libc.so.6 libstdc++.so.6 libcrypto.so.3 libm.so.6 libperl.so.5.36 libpython3.11.so.1.0 libgmp.so.10 \
		libvala-0.56.so.0 libglib-2.0.so.0 libLLVM-14.so.1; do
		for dir in /lib/x86_64-linux-gnu /usr/lib/x86_64-linux-gnu /lib64 /usr/lib64 /usr/lib; do
			if [ -r "$dir/$name" ]; then
				echo "$dir/$name"
				break
			fi
		done
	done
	echo "$BASH"
	command -v perl sqlite3
}

if [ $# -eq 0 ]; then
	mapfile -t all < <(libraries)
else
	all=("$@") limit=1000000
fi
begun=$SECONDS
for file in "${all[@]}"; do
	[ $((SECONDS - begun)) -lt "$limit" ] || { echo "not looked at for want of time: $file and what follows"; break; }
	[ "$(stat -L -c %s "$file")" -lt 30000000 ] || [ $# -gt 0 ] || { echo "not looked at: $file is too large for objdump to be quick"; continue; }
	compare "$file" "$file" && echo "$file: $result" && "$tool" time "$file"
done
echo "$passed compared, $failed failed, $skipped skipped"
[ $failed -eq 0 ]
