#!/bin/bash
# SPDX-License-Identifier: MIT
# What `relink index` refuses, and that it leaves such files alone; what happens to mode, links and running programs; and what the
# runtime says about an index that does not fit.
set -uo pipefail

tool=$RELINK_TOOL
here=$RELINK_SOURCE/tests/tools
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
failed=0
cd "$tmp" || exit 1
[ "${RELINK_ARCH:-native}" = native ] && [ "$(uname -m)" = x86_64 ] || exit 77

fail() { echo "$*"; failed=1; }

# refused STATUS FILE WORDS [OPTION...]: one line that names the file, and nothing has changed
refused() {
	local expected=$1 file=$2 words=$3 status before
	shift 3
	before=$(md5sum "$file" 2>/dev/null) files=$(ls -A)
	"$tool" index "$@" "$file" >out 2>err
	status=$?
	[ $status -eq "$expected" ] || fail "$file: status $status, not $expected"
	[ "$(wc -l <err)" -eq 1 ] && grep -qE "^relink: $file: .*$words" err || fail "$file: not \"$words\": $(cat err)"
	[ ! -s out ] || fail "$file: says something: $(cat out)"
	[ "$before" = "$(md5sum "$file" 2>/dev/null)" ] || fail "$file: was changed"
	[ "$files" = "$(ls -A)" ] || fail "$file: files are left: $(ls -A)"
}

indexed() { "$tool" index -q "$@" >out 2>err || fail "index $*: $(cat err)"; }

compile() { ${CC:-cc} ${RELINK_CFLAGS:-} -O2 -D_GNU_SOURCE -I "$RELINK_SOURCE/include" "$@" -Wl,-z,now "$RELINK_STATIC_LIB" -pthread -ldl; }
kept=-Wl,--emit-relocs
touch out err
compile $here/places.c $here/places_lib.c $kept -o app || exit 1
compile $here/places.c $here/places_lib.c -o none || exit 1

# ---- files that can't be indexed ----
echo text >text && refused 2 text 'not an ELF file'
refused 2 missing 'No such file'
head -c 3000 app >cut && refused 2 cut '(cut off|outside of the file)'
${CC:-cc} ${RELINK_CFLAGS:-} -D_GNU_SOURCE -I "$RELINK_SOURCE/include" -c $here/places_lib.c -o places.o && refused 2 places.o 'an object file'
cp "$(type -P true)" true && refused 2 true 'uses no relink'
cp app thirty-two && printf '\001' | dd of=thirty-two bs=1 seek=4 conv=notrunc status=none && refused 2 thirty-two '32-bit'
refused 2 none 'no relocations were kept'
cp app stripped && strip stripped && refused 2 stripped 'stripped: index the linker'
cp app appended && echo archive >>appended && refused 2 appended 'belong to no section'
${CC:-cc} -O1 -fPIC -nostdlib -shared -D_GNU_SOURCE -I "$RELINK_SOURCE/include" "$here/check/302.c" $kept,-z,now -o contradicts.so 2>log &&
	refused 1 contradicts.so 'relink-302'
refused 2 app "can't" -o nowhere/app
mkdir dir && refused 2 app 'not a regular file' -o dir
cp app two && "$tool" index -o x app two >out 2>err
[ $? -eq 2 ] && [ ! -e x ] || fail 'two files, one output: accepted'

# ---- what stays as it was ----
cp app plain && chmod 750 plain && ln -s plain link && ln plain hard
indexed link
[ -L link ] && [ "$(stat -c %a plain)" = 750 ] || fail "a link or a mode was lost: $(ls -l link plain)"
cmp -s hard app || fail 'the other name of the file was written to'
cmp -s plain app && fail 'index through a link: nothing was written'
cp app other && indexed -o result other
cmp -s other app && cmp -s result plain || fail '--output: not the same result, or the file was changed'
"$tool" index --json missing >out 2>err
if command -v python3 >/dev/null; then
	python3 -c 'import json, sys; f = json.load(sys.stdin)["files"]; assert len(f) == 0' <out || fail "--json: $(cat out)"
	"$tool" index --json -o json app | python3 -c 'import json, sys; f = json.load(sys.stdin)["files"]; assert f[0]["places"] and f[0]["changed"]' ||
		fail '--json is not what it should be'
fi
indexed -o again result && cmp -s result again || fail '--output of what is indexed differs'
indexed --drop-relocs -o small app
[ "$(stat -c %s small)" -lt "$(stat -c %s app)" ] || fail '--drop-relocs: not smaller'
cp app running
./app >expected || fail 'it does not run'
if command -v setfattr >/dev/null && setfattr -n user.test -v kept running 2>/dev/null; then
	indexed running
	getfattr -n user.test running 2>/dev/null | grep -q kept || fail 'an extended attribute was lost'
fi
# A program that runs is replaced, not written to.
cat >waits.c <<'C'
#include "places.h"
static int f(int x) { return x; }
RELINK_DECLARE_CALL(int, call, (int x));
RELINK_DEFINE_CALL(call, f, "a call");
int main(void) { int c = getchar(); return call(c) != 'x'; }
C
compile -I "$here" waits.c $kept -o waits || exit 1
mkfifo pipe
./waits <pipe &
exec 3>pipe
indexed waits
printf x >&3
exec 3>&-
wait $! || fail 'a program did not survive that its file was indexed'

# ---- an index that does not fit ----
# A call's displacement: three bytes behind the opcode belong to it.
cp plain stale
address=$("$tool" list --sites -k call plain | awk '$2 == "call" { print $1; exit }')
offset=$((address + 1 + 3))
for bias in $(readelf -lW plain | awk '$1 == "LOAD" && /R E/ { print $3 - $2, $3 "-" $2 }' | awk '{ print $2 }'); do
	offset=$((offset - (${bias%-*} - ${bias#*-})))
done
printf '\100' | dd of=stale bs=1 seek=$offset conv=notrunc status=none
"$tool" check stale >out 2>err
[ $? -eq 1 ] && grep -q 'relink-311' out || fail "check of a stale index: $(cat out err)"
refused 2 stale 'its index is broken or is about other code'
"$tool" list stale >out 2>err
[ -s out ] || fail "list of a stale index: $(cat err)"
# The same with the index changed, which no code minds: its digest.
cp plain damaged
offset=$(readelf -SW plain | sed 's/\[ */[/' | awk '$2 == "relink_index" { print "0x" $5 }')
printf '\125\252' | dd of=damaged bs=1 seek=$((offset + 16)) conv=notrunc status=none
./damaged notes >out 2>err || fail "does not run with a damaged index: $(cat err)"
grep -q 'damaged: its index does not fit its code' out || fail "the status does not speak of a damaged index: $(tail -n 3 out)"
grep '^damaged 0x' out | sed 's/^damaged/app/' | sort >found
grep '^app 0x' expected | sort | diff -q - found >/dev/null || fail 'a damaged index: relocations were not used'
strip damaged && ./damaged notes >out 2>err || fail "does not run stripped with a damaged index: $(cat err)"
grep -q 'calls go through trampolines' out || fail "the status does not say that calls are not found: $(tail -n 3 out)"
# And with its head.
printf '\377' | dd of=plain bs=1 seek=$((offset + 8)) conv=notrunc status=none
./plain notes >out 2>err && grep -q 'made by another version' out || fail "an index of another version: $(tail -n 3 out)"

# ---- a note of the program's own ----
cat >note.c <<'C'
#include "places.h"
static int f(int x) { return x; }
RELINK_DECLARE_CALL(int, call, (int x));
RELINK_DEFINE_CALL(call, f, "a call");
__asm__(".pushsection .note.mine,\"a\",%note\n.balign 4\nmine: .long 5, 4, 7\n.asciz \"mine\"\n.zero 3\n.ascii \"text\"\n.popsection");
extern const char mine[];
int main(int argc, char **argv) { (void)argv; printf("%.4s %d\n", mine + 20, call(argc)); return 0; }
C
compile -I "$here" note.c $kept -o note || exit 1
if "$tool" index -q note 2>err; then
	[ "$(./note)" = 'text 1' ] || fail "a note that the code reads was moved: $(./note)"
else
	grep -q 'refers to a note' err || fail "a program with a note: $(cat err)"
fi

[ $failed -ne 0 ] || echo 'ok'
exit $failed
