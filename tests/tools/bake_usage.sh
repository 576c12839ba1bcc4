#!/bin/bash
# SPDX-License-Identifier: MIT
# How `relink bake` is used and misused: what it refuses, and that nothing is written then; what it says; modes, names, baking twice;
# uses, features of processors, and targets in other modules.
set -uo pipefail
if [ "${RELINK_SANITIZE:-}" = thread ]; then
	echo "skipped: what the thread sanitizer makes of the program has no lock prefixes and no tail calls"
	exit 77
fi

tool=$RELINK_TOOL
subject=$RELINK_TEST_BIN/tools.subject
tmp=$(mktemp -d)
trap 'chmod -R u+w "$tmp"; rm -rf "$tmp"' EXIT
failed=0
cd "$tmp" || exit 1
[ "${RELINK_ARCH:-native}" = native ] && [ "$(uname -m)" = x86_64 ] || exit 77

wrong() {
	echo "$*"
	failed=1
}

# refused NAME PATTERN ARGUMENT...: status 2, one line that says so, and nothing new here
refused() {
	local name=$1 pattern=$2 before status
	shift 2
	before=$(ls -lA --time-style=full-iso | grep -vE '^total| (out|err)$')
	"$tool" bake "$@" >out 2>err </dev/null
	status=$?
	[ $status -eq 2 ] || wrong "$name: status $status"
	grep -qE -- "^relink: $pattern" err || wrong "$name: no line like $pattern in: $(head -n 3 err)"
	[ "$(wc -l <err)" -eq 1 ] && [ ! -s out ] || wrong "$name: more than one line: $(cat out err)"
	[ "$before" = "$(ls -lA --time-style=full-iso | grep -vE '^total| (out|err)$')" ] || wrong "$name: something was written: $(ls -A)"
}

# fine NAME ARGUMENT...
fine() {
	local name=$1
	shift
	"$tool" bake "$@" >out 2>err </dev/null || wrong "$name: $(cat err)"
}

says() {
	grep -qE -- "$2" "$1" || wrong "$3: no line like $2 in: $(head -n 20 "$1")"
}

: >out >err
cp "$subject" app
chmod 751 app
mkdir dir

# ---- refused ----
refused 'no file' 'bake: which file'
refused 'no output' 'bake: which output' app trace=on
refused 'nothing to do' 'bake: what' app -o new
refused 'no such choice' 'app: no choice is named tracing; there are: .*trace' app tracing=on -o new
refused 'no such state' 'app: idle has no state walk; there are: halt, poll, sleep' app idle=walk -o new
refused 'no such number' 'app: limit: 65536 is no unsigned number of 16 bits' app limit=65536 -o new
refused 'no such number' 'app: offset: x is no signed number of 32 bits' app offset=x -o new
refused 'no such feature' 'bake: --cpu: avx3 is no feature' app --cpu avx3 -o new
refused 'two states' 'app: trace is asked for in two states' app trace=on trace=off -o new
refused 'a member' 'app: store_read is a member of the table store; bake a backend' app store_read=nine -o new
refused 'another module' 'app: libz is not this file' app libz:trace=on -o new
refused 'no record' 'app: key@0x[0-9a-f]+ has no record' app "$("$tool" list app | awk '/key@/ { print $1 }')=on" -o new
refused 'without prefixes' "app: locks can't be baked as off" app locks=off -o new
refused 'the input' './app: is the input itself' app trace=on -o ./app
ln app other
refused 'the input by another name' 'other: is the input itself' app trace=on -o other
rm other
refused 'a directory' 'dir: is there and is not a regular file' app trace=on -o dir
refused 'no directory' "nowhere/new: can't be written: No such file" app trace=on -o nowhere/new
refused 'no relink' '.*true: no choice is named trace; there is none' "$(type -P true)" trace -o new
head -c 9000 app >cut
refused 'a file cut off' 'cut: ' cut trace=on -o new
if [ "$(id -u)" -ne 0 ]; then
	chmod 555 dir
	refused 'a read-only directory' "dir/new: can't be written: Permission" app trace=on -o dir/new
	chmod 755 dir
fi
# What has been damaged is not baked: the first branch of trace is no branch any more.
site=$("$tool" list -s -c trace -k branch app | awk '$2 == "branch" { print $1; exit }')
cp app damaged
readelf -lW app | awk '$1 == "LOAD" { print $2, $3, $5 }' | while read -r offset start size; do
	[ $((site)) -ge $((start)) ] && [ $((site)) -lt $((start + size)) ] || continue
	printf '\220' | dd of=damaged bs=1 seek=$((site - start + offset)) conv=notrunc status=none
done
refused 'a damaged file' 'damaged: its records and its code do not fit: relink check says where' damaged trace=on -o new

# ---- done ----
if [ -x "$RELINK_TEST_BIN/behaviour.keys_cxx.O2" ]; then
	fine 'names of C++' "$RELINK_TEST_BIN/behaviour.keys_cxx.O2" Holder::member_true=off -o two
	says out '^  Holder::member_true +off +[0-9]+ branch' 'names of C++'
fi
fine first app trace=on,idle=poll hash=other -o one
says out '^  trace +on +1 branch, 1 use' first
says out '^  hash +other +.*1 trampoline' first
[ "$(stat -c %a one)" = 751 ] && [ "$(stat -c %s one)" = "$(stat -c %s app)" ] || wrong "first: mode or size: $(ls -l app one)"
[ "$(ls -A | grep -c '^one')" -eq 1 ] || wrong "something is left: $(ls -A)"
cmp -s app "$subject" || wrong 'the input was changed'
"$tool" list one >out
says out '^  trace +key +on +off on .*baked' list
says out '^  checks +key +on .*nonforcible' list
"$tool" show one hash >out
says out '^hash +call, baked, final' show
says out '^  other +baked' show
says out 'as baked' show
"$tool" list --json one >out
says out '"baked": true' json
"$tool" check one >out || wrong "check: $(cat out)"

fine second one one:limit=9 trace -o two
"$tool" list two >out
says out '^  limit +immediate +9 .*baked' second
says out '^  idle +option +poll .*baked' second
RELINK= ./two 2>err >out || wrong 'two does not run'
says err '^state limit 9' two
says err '^state trace on' two
refused 'another state' 'two: idle is baked into it as poll already; bake the file' two idle=halt -o new
refused 'another number' 'two: limit is baked into it as 9 already' two limit=10 -o new
fine 'over an older one' app trace=off -o two
"$tool" list two >out
says out '^  trace +key +off .*baked' 'over an older one'
fine json app trace --json -o two
! command -v python3 >/dev/null || python3 -m json.tool <out >/dev/null || wrong 'no JSON'
ln -s app link
refused 'a link to the input' 'link: is the input itself' app trace -o link

# One byte decides a key, and what remains is straight code: no condition.
objdump -d --disassemble=look app >before
objdump -d --disassemble=look one >after
[ "$(grep -c cmp before)" -eq "$(grep -c cmp after)" ] || wrong 'objdump: comparisons'

# Stripped: no calls are known, they go by trampolines, which are baked.
cp app stripped
strip stripped
fine stripped stripped hash=other -o new
says out 'its calls are not known' stripped
RELINK= ./new 2>err >out || wrong 'stripped does not run'
says err '^state hash other' stripped
RELINK=hash=other ./app 2>err.set >out
[ "$(grep '^late' err)" = "$(grep '^late' err.set)" ] || wrong "stripped: $(grep '^late' err), $(grep '^late' err.set)"

# ---- uses, features, other modules ----
lib="$RELINK_STATIC_LIB -pthread -ldl"
${CC:-cc} $RELINK_CFLAGS -O2 -g -D_GNU_SOURCE -I "$RELINK_SOURCE/include" "$RELINK_SOURCE/tests/tools/bake/uses.c" -Wl,--emit-relocs,-z,now $lib \
	-o uses || exit 1
fine uses uses debug size_of=abs back=twice --cpu x86-64-v2,-avx512ifma -o baked
says out '^  debug +on +1 branch, 2 use' uses
says out '^  size_of +abs +2 call, 1 trampoline' uses
says out '^  back +twice +1 call, 1 jcc, 1 trampoline' uses
says out '^  \(processor features\) +1 alternative' uses
./baked >out || wrong 'uses: does not run'
says out '^uses 1 1 ' uses
says out '^straight 1002 features 2 ' uses
says out '^size_of 5 97 back -10' uses
says out '^jump_if -1 -10' uses
says out '^writes 0$' uses
"$tool" list -s -c back -k jcc baked >out
says out ' jcc ' 'a conditional jump'
./baked - >out
says out '^uses 1 1 query RELINK_OVERRIDDEN' 'a query'
says out 'the baked file says on' 'a query'
fine 'nothing of it' uses debug=off size_of=positive '--cpu=-*' -o baked
says out 'size_of=positive needs never wherever it runs' 'nothing of it'
./baked >out
says out '^uses 0 0 ' 'nothing of it'
says out '^straight 2 features 1 ' 'nothing of it'
says out '^size_of 5 97 ' 'nothing of it'
says out 'size_of: baked as positive, whose condition does not hold here' 'nothing of it'
fine 'for others' uses --cpu avx512ifma,sse3 -o baked
if ! grep -qw avx512ifma /proc/cpuinfo; then
	./baked >out
	says out 'baked: baked for other processors than this one' 'for others'
fi
fine undecided uses debug --cpu sse3 -o baked
says out 'alternatives are left' undecided
refused 'no bytes' 'uses: in_bss has no bytes in the file' uses in_bss -o new2
fine 'no bytes needed' uses in_bss=off -o new2

# ---- indexes: a baked file's is about the code that was baked; either may come first ----
cp app indexed && "$tool" index -q indexed && strip indexed || wrong 'no index'
fine 'indexed, then baked' indexed trace=on,hash=other -o baked
"$tool" check baked >out 2>err || wrong "an index behind: $(cat out err)"
./baked >both 2>both.err || wrong 'indexed, then baked: does not run'
fine 'baked, then indexed' app trace=on,hash=other -o baked
"$tool" index -q baked && strip baked && "$tool" check baked >out 2>err || wrong "an index in front: $(cat out err)"
./baked >one 2>one.err || wrong 'baked, then indexed: does not run'
[ "$(grep ^result both.err)" = "$(grep ^result one.err)" ] && grep -q '^decided hash baked' one.err && ! grep -qE 'index' both.err one.err ||
	wrong "indexed and baked: $(cat both.err one.err)"

# ---- two files: one follows the other ----
[ -z "${RELINK_SANITIZE:-}" ] || exit $failed
. "$RELINK_SOURCE/tests/tools/build_subject"
mkdir two_files && cd two_files || exit 1
build_one "${CC:-gcc}" bfd shared -O2 >log 2>&1 || { cat log; exit 1; }
mkdir baked
fine library libsubject.so lib_key lib_number=5 -o baked/libsubject.so
refused pointer 'app: handler is an accelerated pointer' app handler=handle_none -o new
refused "another file's" 'app: lib_key is defined by another module|app: lib_key has no record' app lib_key -o new
fine 'what follows' app --with baked/libsubject.so -o baked/app
says out '^  lib_key +on +1 branch' 'what follows'
cp app baked/unbaked
LD_LIBRARY_PATH=$PWD/baked ./baked/app >both 2>both.err || wrong 'both baked'
LD_LIBRARY_PATH=$PWD/baked ./baked/unbaked >one 2>one.err || wrong 'the library baked'
[ "$(grep -E '^(result|state lib_(key|number|call))' both.err)" = "$(grep -E '^(result|state lib_(key|number|call))' one.err)" ] || wrong "a file that follows at run time: $(cat one.err)"
says both.err '^writes [0-9]+, pending 0' 'both baked'
cp baked/app alone
LD_LIBRARY_PATH=$PWD ./alone >alone.out 2>alone.err || wrong 'without its library'
says alone.err '^writes [0-9]+, pending 1' 'without its library'
exit $failed
