#!/bin/bash
# SPDX-License-Identifier: MIT
# What `relink object` refuses and what it leaves alone; how it behaves behind a compiler; which objects get tables.
set -uo pipefail

tool=$RELINK_TOOL
here=$RELINK_SOURCE/tests/tools
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
failed=0
cd "$tmp" || exit 1
[ "${RELINK_ARCH:-native}" = native ] && [ "$(uname -m)" = x86_64 ] || exit 77

fail() { echo "$*"; failed=1; }
compile() { ${CC:-cc} -D_GNU_SOURCE -I "$RELINK_SOURCE/include" -I "$here" "$@"; }
tables() { readelf -SW "$1" | grep -cE ' relink_(got_)?sites '; }

# refused FILE WORDS: one line that names the file, and nothing has changed
refused() {
	local before status
	before=$(md5sum "$1" 2>/dev/null)
	"$tool" object "$1" >out 2>err
	status=$?
	[ $status -eq 2 ] || fail "$1: status $status"
	[ "$(wc -l <err)" -eq 1 ] && grep -qE "^relink: $1: .*$2" err || fail "$1: not \"$2\": $(cat err)"
	[ "$before" = "$(md5sum "$1" 2>/dev/null)" ] || fail "$1: was changed"
}

compile -O2 -c "$here/places.c" -o places.o || exit 1
echo text >text && refused text 'not an ELF file'
refused missing 'No such file'
mkdir dir && refused dir 'not a regular file'
cp "$(type -P true)" true && refused true 'linked files are for relink index'
cp places.o aarch64.o && printf '\267' | dd of=aarch64.o bs=1 seek=18 conv=notrunc status=none && refused aarch64.o 'not an object for x86-64'
head -c 1000 places.o >cut.o && refused cut.o '.'
for arguments in '' '--launch' '--nonsense places.o'; do
	"$tool" object $arguments >out 2>err
	[ $? -eq 2 ] && [ "$(wc -l <err)" -eq 1 ] || fail "object $arguments: $(cat err)"
done

cp places.o json.o
"$tool" object --json json.o true >out 2>err
[ $? -eq 2 ] && python3 -c 'import json, sys
f = json.load(sys.stdin)["files"]
assert len(f) == 1 and f[0]["file"] == "json.o" and f[0]["changed"] and f[0]["places"] > 3, f' <out || fail "--json: $(cat out err)"
"$tool" object --json json.o >out 2>err && grep -q '"changed": false' out && grep -q '"tables": true' out || fail "--json again: $(cat out err)"

# ---- which objects ----
cat >foreign.c <<'C'
extern int (*handler)(int);
extern int number;
int foreign(int x) { return handler(x) + number; }
C
compile -O2 -c foreign.c -o foreign.o && cp foreign.o before.o
"$tool" object foreign.o && cmp foreign.o before.o || fail 'an object without relink was changed'
"$tool" object --all foreign.o && [ "$(tables foreign.o)" = 1 ] || fail '--all: no table'
chmod 640 places.o && "$tool" object -v places.o >out && grep -qE '^places.o: [0-9]+ places$' out || fail "-v: $(cat out)"
[ "$(stat -c %a places.o)" = 640 ] || fail 'the mode was lost'
[ "$(tables places.o)" -ge 1 ] || fail 'no table'
"$tool" object -v places.o | grep -q 'has its places' || fail 'twice'
if ${CC:-cc} -flto -O2 -D_GNU_SOURCE -I "$RELINK_SOURCE/include" -c "$here/places.c" -o lto.o 2>/dev/null; then
	cp lto.o before.o
	"$tool" object -v lto.o >out 2>&1
	cmp lto.o before.o && grep -q 'LTO' out || fail "LTO: $(cat out)"
	"$tool" object --launch ${CC:-cc} -flto -D_GNU_SOURCE -I "$RELINK_SOURCE/include" -c "$here/places.c" -o lto.o || fail 'LTO: not left alone'
fi

# ---- behind a compiler ----
launch() { "$tool" object --launch ${CC:-cc} -D_GNU_SOURCE -I "$RELINK_SOURCE/include" -I "$here" "$@"; }
launch -O2 -c "$here/places.c" && [ "$(tables places.o)" -ge 1 ] || fail 'an object without -o'
launch -O2 -oglued.o -c "$here/places.c" && [ "$(tables glued.o)" -ge 1 ] || fail '-oFILE'
launch -E "$here/places.c" -o places.i && head -n 1 places.i | grep -q '^#' || fail '-E'
launch -O2 -c -o /dev/null "$here/places.c" || fail 'to a device'
echo 'int main(void) { return broken; }' >broken.c
launch -c broken.c -o broken.o 2>err
[ $? -eq 1 ] && [ ! -e broken.o ] || fail 'the compiler'\''s status'
"$tool" object --launch no-such-compiler -c x.c 2>err
[ $? -eq 2 ] && grep -q '^relink: no-such-compiler: ' err || fail "no compiler: $(cat err)"
"$tool" object --launch sh -c 'kill -9 $$' 2>err
[ $? -eq 137 ] || fail 'a compiler that was killed'
mkdir libexec && ln -s "$tool" libexec/as
RELINK_AS=/no/such/as ./libexec/as --version >out 2>err
[ $? -eq 2 ] || fail 'an assembler that is not there'
./libexec/as --version | grep -qi assembler || fail 'as --version'
# Neither of the two programs is the next assembler of the other.
timeout=$(command -v timeout)
for as in ./libexec/as "${tool%/*}/libexec/as"; do
	PATH=$tmp/libexec:${tool%/*}/libexec "$timeout" -s KILL 20 "$as" --version >out 2>err
	[ $? -eq 2 ] && grep -q 'RELINK_AS' err || fail "only itself in PATH: $(cat err)"
done

# ---- relink_target(.. OBJECT_PASS) ----
if [ -n "${CMAKE:-}" ] && [ -z "${RELINK_SANITIZE:-}" ]; then
	mkdir project && cat >project/CMakeLists.txt <<C
cmake_minimum_required(VERSION 3.16)
project(app C)
add_library(relink::static STATIC IMPORTED)
set_target_properties(relink::static PROPERTIES IMPORTED_LOCATION "$RELINK_STATIC_LIB" INTERFACE_LINK_LIBRARIES "-pthread;-ldl"
	INTERFACE_INCLUDE_DIRECTORIES "$RELINK_SOURCE/include")
include("$RELINK_SOURCE/cmake/relink-target.cmake")
add_executable(app "$here/places.c" "$here/places_lib.c")
target_compile_definitions(app PRIVATE _GNU_SOURCE)
relink_target(app STATIC OBJECT_PASS)
C
	"$CMAKE" -S project -B built -DRELINK_PROGRAM="$tool" -DCMAKE_C_COMPILER="${CC:-cc}" -DCMAKE_BUILD_TYPE=Release >log 2>&1 &&
		"$CMAKE" --build built >>log 2>&1 || fail "OBJECT_PASS: $(tail -n 5 log)"
	[ "$(tables built/app)" -ge 1 ] || fail 'OBJECT_PASS: no table'
	readelf -SW built/app | grep -q '\.rela\.text' && fail 'OBJECT_PASS: relocations were kept'
	./built/app | grep -qE "^app 0x[0-9a-f]+ 1 app_hash" || fail "OBJECT_PASS: a call was not found"
fi
exit $failed
