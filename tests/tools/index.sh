#!/bin/bash
# SPDX-License-Identifier: MIT
# test: TIMEOUT 900
# `relink index`: the runtime finds the same sites by the table as by relocations, after every kind of strip; compilers, linkers and
# models. `relink list` says the same of both. Prints one line per combination; with an argument, only those that match it.
set -uo pipefail

here=$RELINK_SOURCE/tests/tools
build=$(dirname "$RELINK_STATIC_LIB")
tool=$RELINK_TOOL
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
[ "${RELINK_ARCH:-native}" = native ] && [ "$(uname -m)" = x86_64 ] || exit 77

table='
gcc   bfd  pie        -O2
gcc   bfd  no-pie     -O0
gcc   bfd  static     -O2
gcc   bfd  static-pie -O2
gcc   bfd  shared     -O2
gcc   bfd  gc         -O2
gcc   bfd  no-plt     -O2
gcc   bfd  lto        -O2
gcc   lld  pie        -O2
gcc   lld  no-pie     -O2
gcc   lld  static     -O2
gcc   lld  static-pie -O1
gcc   lld  shared     -O2
gcc   lld  gc         -O2
gcc   lld  no-plt     -O2
gcc   mold pie        -O2
gcc   mold no-pie     -O2
gcc   mold static     -O2
gcc   mold static-pie -O2
gcc   mold shared     -O2
gcc   mold gc         -O2
gcc   mold no-plt     -O2
gcc   mold lto        -O2
clang bfd  pie        -O2
clang bfd  no-pie     -O1
clang bfd  static     -O2
clang bfd  static-pie -O2
clang bfd  shared     -O2
clang lld  pie        -O2
clang lld  no-pie     -O2
clang lld  static     -O2
clang lld  static-pie -O2
clang lld  shared     -O2
clang lld  no-id      -O2
clang lld  lto        -O2
clang mold pie        -O2
clang mold no-pie     -O2
clang mold static     -O2
clang mold static-pie -O2
clang mold shared     -O2
clang mold lto        -O2
'
strips=('strip' 'strip -s' 'strip -g' 'strip --strip-unneeded' 'llvm-strip' 'llvm-strip -s' 'llvm-strip -g' 'llvm-strip --strip-unneeded'
	'llvm-strip --strip-sections' 'eu-strip' 'eu-strip -g' 'eu-strip --strip-sections' 'objcopy --strip-all')

build_one() {
	local cc=$1 linker=$2 model=$3 level=$4
	local flags="$level -g -gdwarf-4 -D_GNU_SOURCE -Wall -Wextra -Werror -I $RELINK_SOURCE/include"
	local link="-fuse-ld=$linker -Wl,--emit-relocs -Wl,-z,now" lib="$build/librelink.a -pthread -ldl"

	case $model in
	gc) flags+=" -ffunction-sections -fdata-sections" link+=" -Wl,--gc-sections" ;;
	no-plt) flags+=" -fno-plt" ;;
	lto) flags+=" -flto" ;; # the library's note comes first, and leads to its anchor
	no-id) link+=" -Wl,--build-id=none" ;;
	esac
	case $model in
	pie | gc | no-plt | no-id | lto) $cc $flags -fPIE -pie -rdynamic $here/places.c $here/places_lib.c $link $lib -o app ;;
	no-pie) $cc $flags -fno-pie -no-pie $here/places.c $here/places_lib.c $link $lib -o app ;;
	static) $cc $flags -fno-pie -static $here/places.c $here/places_lib.c $link $lib -o app ;;
	static-pie) $cc $flags -fPIC -static-pie $here/places.c $here/places_lib.c $link $lib -o app ;;
	shared)
		# The library uses a static call of the program's, and is there before it.
		$cc $flags -fPIC -shared $here/places_lib.c $link -L "$build" -lrelink -o libplaces.so &&
			$cc $flags -fPIE -pie -rdynamic $here/places.c libplaces.so $link -L "$build" -lrelink -Wl,-rpath,"$PWD:$build" -o app ;;
	esac
}

# What the program says of its sites, in an order that does not hang on the order in which they were found.
dump() {
	./app >out 2>err || { echo "it fails: $(cat err)"; return 1; }
	sort out >"$1"
}

# Each file of the combination, one by one.
each_file() {
	local file

	for file in app libplaces.so; do
		[ ! -f $file ] || "$@" $file || return 1
	done
}

# Records and code are sound, too; what the checker says of code without symbols is another matter.
is_idempotent() {
	cp "$1" again && "$tool" index -q "$1" && cmp "$1" again || { echo "$1: the second index differs"; return 1; }
	"$tool" check "$1" >checked 2>&1
	! grep -E 'relink-[123][0-9]+\]|^relink:' checked
}

# Nothing but the path may differ in what is listed, where sites are concerned.
lists() {
	local files=app
	[ -f libplaces.so ] && files="app libplaces.so"
	"$tool" list --sites $files >list.raw 2>&1 || { cat list.raw; return 1; }
	awk '/^  0x/ { print $1, $2, $3 }' list.raw
}

keep() { mkdir -p "$2" && cp app "$2/app" && { [ ! -f libplaces.so ] || cp libplaces.so "$2/"; }; }
restore() { cp "$1/app" app && { [ ! -f libplaces.so ] || cp "$1/libplaces.so" .; }; }
stripped() { $strip "$1" 2>strip.err || { echo "$strip: $(head -n 1 strip.err)"; return 1; }; }
# llvm-strip 14 refuses static programs of bfd's, whatever is in them.
can_strip() { cp "linked/$1" probe && $strip probe 2>/dev/null; }
no_relocs() { ! readelf -SW "$1" | grep -E ' RELA ' | grep -vqE ' AI? ' || { echo "$1: relocations are left"; return 1; }; }

compare() {
	local strip count=0

	dump relocs.txt && lists >relocs.list || return 1
	keep . linked
	"$tool" index -q $(each_file echo) || return 1
	dump index.txt && diff relocs.txt index.txt && lists >index.list && diff relocs.list index.list || return 1
	each_file is_idempotent || return 1
	keep . indexed
	for strip in "${strips[@]}"; do
		command -v "${strip%% *}" >/dev/null && each_file can_strip || continue
		restore indexed
		each_file stripped || return 1
		dump index.txt && diff relocs.txt index.txt || { echo "after $strip"; return 1; }
		case $strip in # without sections there is nothing to list
		*-sections*) ;;
		*) each_file is_idempotent && lists >index.list && diff relocs.list index.list || { echo "after $strip"; return 1; } ;;
		esac
		count=$((count + 1))
	done
	restore linked
	"$tool" index -q --drop-relocs $(each_file echo) && each_file no_relocs && each_file is_idempotent || return 1
	dump index.txt && diff relocs.txt index.txt && lists >index.list && diff relocs.list index.list || return 1
	restore indexed
	"$tool" index -q --drop-relocs $(each_file echo) && each_file no_relocs && dump index.txt && diff relocs.txt index.txt || return 1
	echo "$(wc -l <relocs.txt) lines, $count strips"
}

one() {
	local name="$*" out

	for needed in "$1" "$([ "$2" = mold ] && echo mold || echo "ld.$2")"; do
		command -v "$needed" >/dev/null || { echo "$name: skip, there is no $needed"; return; }
	done
	mkdir "$tmp/${name// /}" && cd "$tmp/${name// /}" || return
	if ! out=$(build_one "$@" 2>&1); then
		echo "$name: FAIL, does not build: $(grep -m 3 -iE 'error|undefined|warning' <<<"$out" | tr '\n' ' ')"
	elif out=$(compare 2>&1); then
		echo "$name: ok, $out"
	else
		echo "$name: FAIL, $(head -n 8 <<<"$out")"
	fi
	rm -rf "$tmp/${name// /}"
}

. "$RELINK_SOURCE/tests/tools/rows"
each_row 3 "${1:-}"
