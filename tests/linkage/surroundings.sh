#!/bin/bash
# SPDX-License-Identifier: MIT
# test: TIMEOUT 240
# surroundings.sh - environment, descriptors, rights, cache and budget; whatever is there, a program runs as without.
. "$RELINK_SOURCE/tests/linkage/lib.sh"
ulimit -c 0

trap_program surroundings surroundings.c -Wl,-z,now
prog=$work/surroundings lib=libsurroundings.so
same 1 $lib "$prog" identity
same 1 $lib "$prog" descriptors
for policy in learn all; do
	without "$prog" few
	"$RELINK_TOOL" run --policy $policy "$prog" few 2>&1 | cmp -s - "$work/plain.out" && pass || fail "few ($policy)" "it runs otherwise"
done
same 1 $lib "$prog" status 0
same 1 $lib "$prog" status 77
same - $lib "$prog" leave 78
modes="cold all"
for signal in 6 9 11 13 15; do
	same - $lib "$prog" signal $signal 2>/dev/null
done
same - $lib "$prog" exec 3

# ---- input and output ----

printf 'one\ntwo and more\n' >"$work/in"
for policy in hot all; do
	wanted=$("$prog" copy <"$work/in")
	[ "$("$RELINK_TOOL" run --policy $policy "$prog" copy <"$work/in" 2>"$work/err")" = "$wanted" ] && [ ! -s "$work/err" ] &&
		pass || fail "standard input ($policy)" "$(head -2 "$work/err")"
	"$RELINK_TOOL" run --policy $policy "$prog" sum <&- >&- 2>&- && pass || fail "closed ($policy)" "without descriptors it ends with $?"
	"$RELINK_TOOL" run --policy $policy "$prog" sum >/dev/full 2>"$work/err"
	[ -s "$work/err" ] && fail "full ($policy)" "$(cat "$work/err")" || pass
done
# A report to standard error, and to a file that can't be.
"$RELINK_TOOL" run --report "$prog" sum 2>&1 >"$work/out" | grep -q "^$lib " && pass || fail "report" "nothing at standard error"
"$RELINK_TOOL" run --report=/nonexistent/x "$prog" sum >"$work/out" 2>"$work/err"
[ $? != 0 ] && grep -q "^relink: .*/nonexistent/x" "$work/err" && [ ! -s "$work/out" ] && pass || fail "report" "it starts, and can't report"

# ---- scripts, and programs that start programs ----

printf '#!/bin/sh\nexec "%s" sum\n' "$prog" >"$work/script"
printf '#!/usr/bin/env sh\n"%s" sum; exit 5\n' "$prog" >"$work/env-script"
chmod +x "$work/script" "$work/env-script"
same - "" "$work/script"
same - "" "$work/env-script"
"$RELINK_TOOL" run --children --report="$work/report" "$work/script" >"$work/out"
grep -q "^$lib .* [1-9][0-9]* " "$work/report" && pass || fail "--children" "what the script starts is not bound"

# ---- code that checks itself ----

without "$prog" check
options=(--not $lib)
same 0 $lib "$prog" check
options=(--not libsurroundings)
same 0 $lib "$prog" check
options=(--only libc.so.6)
same 0 $lib "$prog" check
options=()
forget
"$RELINK_TOOL" run --no-cache --policy learn "$prog" check | grep -q changed && pass || fail "check" "nothing was bound while it looked"
[ -e "$work/cache/relink" ] && fail "--no-cache" "there is a cache" || pass

# ---- budget and nonsense ----

modes="cold warm all"
for budget in 0 1 4095 99999999999999999999; do
	options=(--budget $budget)
	[ ${#budget} -gt 9 ] && least=1 || least=0
	same $least $lib "$prog" sum
	[ $least = 1 ] || [ "$(reported pages)" = 0 ] && pass || fail "budget $budget" "$(reported pages) pages are private"
done
options=(--budget 4K)
same 1 $lib "$prog" sum
(($(reported pages) <= 1)) && pass || fail "budget 4K" "$(reported pages) pages are private"
options=()

for words in "" , ,,, nonsense =,= all,learn "budget=x" "only=" "hops=0" "report" "$(printf '%5000s' ,)" "$(printf 'only=%4000d' 1)" \
	"budget=-1" "reserved=zz" "all,budget=18446744073709551615K"; do
	out=$(LD_PRELOAD=$RELINK_BUILD/librelink-run.so RELINK_LINKAGE=$words "$prog" sum 2>&1)
	[ "$out" = "$("$prog" sum)" ] && pass || fail "RELINK_LINKAGE=${words:0:40}" "$out"
done

# ---- the cache ----

one_cache() { ls "$work"/cache/relink/linkage-* 2>/dev/null | head -1; }
modes="warm"
"$RELINK_TOOL" run "$prog" sum >"$work/out"
[ -n "$(one_cache)" ] && pass || fail "cache" "there is none"
for damage in truncate empty flip longer directory link unreadable others; do
	forget
	"$RELINK_TOOL" run "$prog" sum >"$work/out"
	for file in "$work"/cache/relink/linkage-*; do
		case $damage in
		truncate) truncate -s -3 "$file" ;;
		empty) : >"$file" ;;
		flip) printf '\xff\xff' | dd of="$file" bs=1 seek=$(($(stat -c %s "$file") - 4)) conv=notrunc 2>/dev/null ;;
		longer) echo more >>"$file" ;;
		directory) rm "$file" && mkdir "$file" ;;
		link) mv "$file" "$file.x" && ln -s "$file.x" "$file" ;;
		unreadable) chmod 0 "$file" ;;
		others) chmod 666 "$file" ;;
		esac
	done
	forget() { :; }
	same 1 $lib "$prog" sum
	unset -f forget
	forget() { rm -rf "$work/cache/relink"; }
done
forget
mkdir "$work/cache/relink" && chmod 777 "$work/cache/relink"
"$RELINK_TOOL" run "$prog" sum >"$work/out"
[ -z "$(one_cache)" ] && pass || fail "cache" "a directory that everybody may write to is used"
forget
home=$XDG_CACHE_HOME
for place in relative /nonexistent/a/b /dev/null "$work/in"; do
	export XDG_CACHE_HOME=$place
	(cd "$work" && "$RELINK_TOOL" run "$prog" sum >"$work/out" 2>"$work/err")
	cmp -s "$work/out" <("$prog" sum) && [ ! -s "$work/err" ] && [ ! -e "$work/relative" ] && pass || fail "XDG_CACHE_HOME=$place" "$(cat "$work/err")"
done
unset XDG_CACHE_HOME
env -u HOME "$RELINK_TOOL" run "$prog" sum 2>&1 | cmp -s - <("$prog" sum) && pass || fail "no HOME" "it runs otherwise"
export XDG_CACHE_HOME=$home

# Two at a time write one file.
for i in 1 2 3 4 5 6 7 8; do
	"$RELINK_TOOL" run "$prog" sum >"$work/out.$i" &
done
wait
for i in 1 2 3 4 5 6 7 8; do
	cmp -s "$work/out.$i" <("$prog" sum) && pass || fail "at the same time" "$(cat "$work/out.$i")"
done

# ---- rights, auditors, profilers ----

if [ "$(id -u)" = 0 ] && cp "$prog" "$work/suid" && chown nobody "$work/suid" && chmod 4755 "$work/suid"; then
	"$RELINK_TOOL" run "$work/suid" sum >"$work/out" 2>"$work/err"
	[ $? = 126 ] && grep -q setuid "$work/err" && [ ! -s "$work/out" ] && pass || fail "setuid" "it is run: $(cat "$work/err")"
else
	skip "setuid: only root can make a program of somebody else's"
fi
for variable in LD_AUDIT LD_PROFILE; do
	env $variable=librelink-none.so "$RELINK_TOOL" run "$prog" sum >"$work/out" 2>"$work/err"
	[ $? = 126 ] && grep -q "$variable" "$work/err" && [ ! -s "$work/out" ] && pass || fail "$variable" "$(cat "$work/err")"
	env $variable=librelink-none.so LD_PRELOAD="$RELINK_BUILD/librelink-run.so" RELINK_LINKAGE=json,report="$work/report" "$prog" sum >"$work/out" 2>"$work/err"
	cmp -s "$work/out" <("$prog" sum) && [ "$(reported bound)" = 0 ] && grep -q RELINK_E_CONTEXT "$work/report" && pass ||
		fail "$variable" "$(reported bound) calls are bound"
done
cat >"$work/audit.c" <<'END'
#include <link.h>
#include <stdint.h>
#include <stdio.h>
unsigned la_version(unsigned v) { return v; }
unsigned la_objopen(struct link_map *m, Lmid_t l, uintptr_t *c) { return LA_FLG_BINDTO | LA_FLG_BINDFROM; }
static unsigned long calls;
Elf64_Addr la_x86_64_gnu_pltenter(Elf64_Sym *s, unsigned n, uintptr_t *r, uintptr_t *d, La_x86_64_regs *x, unsigned *f, const char *name, long *size)
{
	calls++;
	return s->st_value;
}
static __attribute__((destructor)) void tell(void) { fprintf(stderr, "%lu calls seen\n", calls); }
END
"$cc" -D_GNU_SOURCE -w -O2 -fPIC -shared -o "$work/audit.so" "$work/audit.c" || broken audit.so
# An auditor that the program itself names.
program audited surroundings -Wl,--audit="$work/audit.so"
for policy in hot all; do
	"$RELINK_TOOL" run --policy $policy --json --report="$work/report" "$work/audited" sum >"$work/out" 2>"$work/err"
	cmp -s "$work/out" <("$prog" sum) && [ "$(reported bound)" = 0 ] && grep -q RELINK_E_CONTEXT "$work/report" && pass ||
		fail "an auditor named in the program" "$(reported bound) calls are bound"
done

# ---- code that can't be written ----

if [ -x "$RELINK_TEST_BIN/tools.deny" ]; then
	for policy in hot all; do
		"$RELINK_TEST_BIN/tools.deny" "$RELINK_TOOL" run --policy $policy --json --report="$work/report" "$prog" sum >"$work/out" 2>"$work/err"
		cmp -s "$work/out" <("$prog" sum) && [ ! -s "$work/err" ] && pass || fail "denied ($policy)" "$(cat "$work/err")"
	done
else
	skip "denied: there is no tools.deny"
fi

if unshare -rm true 2>/dev/null; then
	printf '#!/bin/sh\nmount -t tmpfs none /proc && exec "$@"\n' >"$work/no-proc"
	chmod +x "$work/no-proc"
	for policy in hot all; do
		LD_PRELOAD= unshare -rm "$work/no-proc" "$RELINK_BUILD/tools/relink" run "$prog" sum >"$work/out" 2>"$work/err"
		grep -q 'proc/self/exe' "$work/err" && pass || fail "no /proc" "relink run says $(cat "$work/err")"
		unshare -rm "$work/no-proc" env LD_PRELOAD="$RELINK_BUILD/librelink-run.so" RELINK_LINKAGE=$policy,json,report="$work/report" "$prog" sum \
			>"$work/out" 2>"$work/err"
		cmp -s "$work/out" <("$prog" sum) && [ ! -s "$work/err" ] && pass || fail "no /proc ($policy)" "$(cat "$work/err")"
	done
else
	skip "code that can't be written: no user namespaces here"
fi
finish
