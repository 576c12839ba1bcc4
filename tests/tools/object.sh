#!/bin/bash
# SPDX-License-Identifier: MIT
# test: TIMEOUT 900
# `relink object`: the runtime finds the same sites by the places in object files as by relocations, and none twice where there are both.
# Compilers, linkers and models; behind a compiler, as an assembler, on files. Prints one line per combination; with an argument, only
# those that match it.
set -uo pipefail

here=$RELINK_SOURCE/tests/tools
build=$(dirname "$RELINK_STATIC_LIB")
tool=$RELINK_TOOL
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
[ "${RELINK_ARCH:-native}" = native ] && [ "$(uname -m)" = x86_64 ] || exit 77

# `bare`: without unwind tables and debug information, where compilers leave out the symbols of sections.
table='
gcc   bfd  pie        -O2 launch
gcc   bfd  no-pie     -O0 as
gcc   bfd  static     -O2 file
gcc   bfd  static-pie -O2 launch
gcc   bfd  shared     -O2 launch
gcc   bfd  gc         -O2 launch
gcc   bfd  bare       -O2 as
gcc   bfd  no-plt     -O2 launch
gcc   bfd  cxx        -O2 launch
gcc   bfd  cxx        -O0 as
gcc   lld  pie        -O1 as
gcc   lld  no-pie     -O2 launch
gcc   lld  static-pie -O2 file
gcc   lld  shared     -O2 as
gcc   lld  gc         -O2 launch
gcc   lld  bare       -O2 launch
gcc   lld  no-plt     -O2 launch
gcc   lld  cxx        -O2 launch
gcc   mold pie        -O2 launch
gcc   mold no-pie     -O2 as
gcc   mold static     -O2 launch
gcc   mold shared     -O2 launch
gcc   mold gc         -O2 launch
gcc   mold bare       -O2 launch
gcc   mold cxx        -O2 launch
clang bfd  pie        -O2 launch
clang bfd  no-pie     -O2 as
clang bfd  static     -O2 launch
clang bfd  shared     -O2 launch
clang bfd  bare       -O2 launch
clang bfd  gc         -O2 launch
clang bfd  cxx        -O2 launch
clang lld  pie        -O2 launch
clang lld  static-pie -O2 launch
clang lld  shared     -O2 launch
clang lld  gc         -O2 launch
clang lld  bare       -O2 file
clang lld  cxx        -O2 launch
clang lld  cxx        -O0 file
clang mold pie        -O2 launch
clang mold shared     -O2 launch
clang mold bare       -O2 launch
clang mold cxx        -O2 launch
'
mkdir "$tmp/libexec" && ln -s "$tool" "$tmp/libexec/as"
base="-D_GNU_SOURCE -Wall -Wextra -Werror -I $RELINK_SOURCE/include"

# compile COMPILER HOW FLAGS SOURCE OBJECT
compile() {
	local flags=$3
	case $2 in
	plain) $1 $flags -c "$4" -o "$5" ;;
	launch) "$tool" object --launch $1 $flags -c "$4" -o "$5" ;;
	file) $1 $flags -c "$4" -o "$5" && "$tool" object "$5" ;;
	as)
		[ "${1#clang}" = "$1" ] || flags+=' -fno-integrated-as'
		$1 $flags -B "$tmp/libexec/" -c "$4" -o "$5" ;;
	esac
}

# Objects and programs of one kind: with_$how.o, app_$how_relocs and app_$how.
build_one() {
	local cc=$1 linker=$2 model=$3 flags="$4 $base" how=$5 link="-fuse-ld=$2 -Wl,-z,now" lib="$build/librelink.a -pthread -ldl"
	local sources="places places_lib" ending=c kind mode relocs

	case $model in
	no-pie | static) flags+=' -fno-pie' ;;
	static-pie | shared) flags+=' -fPIC' ;;
	*) flags+=' -fPIE' ;;
	esac
	case $model in
	gc) flags+=' -ffunction-sections -fdata-sections' link+=' -Wl,--gc-sections' ;;
	no-plt) flags+=' -fno-plt' ;;
	bare) flags+=' -fno-asynchronous-unwind-tables -ffunction-sections' ;;
	cxx) sources="inline inline_other" ending=cc cc=${cc/gcc/g++} link+=' -Wl,--gc-sections' flags+=' -ffunction-sections -std=c++17' ;;
	esac
	case $model in
	no-pie | static | static-pie) mode=-$model ;;
	*) mode='-pie -rdynamic' ;;
	esac
	cc=${cc/clangg/clang}
	[ "$model $cc" = 'cxx clang' ] && cc=clang++
	for kind in plain $how; do
		for source in $sources; do
			compile $cc $kind "$flags" "$here/$source.$ending" "${source}_$kind.o" || return
		done
	done
	for kind in plain $how; do
		for relocs in relocs tables; do
			mkdir "${kind}_$relocs" && link_one "$cc" "$model" "$mode" "$link $([ $relocs = tables ] || echo -Wl,--emit-relocs)" "$lib" \
				"${sources// /_$kind.o }_$kind.o" "${kind}_$relocs" || return
		done
	done
}

link_one() {
	local objects=($6)
	if [ "$2" = shared ]; then
		$1 -shared "${objects[1]}" $4 -L "$build" -lrelink -o "$7/libplaces.so" &&
			$1 -pie -rdynamic "${objects[0]}" "$7/libplaces.so" $4 -L "$build" -lrelink -Wl,-rpath,"$PWD/$7:$build" -o "$7/app"
	else
		$1 $3 $6 $4 $5 -o "$7/app"
	fi
}

dump() { "./$1/app" >out 2>err && sort out >"$1.txt" || { echo "$1 fails: $(cat err)"; return 1; }; }
without_addresses() { sed -E 's/ 0x[0-9a-f]+ / /' "$1" | sort; }

# Addresses from the first site on: lld merges equal strings, which lie in front of the code, only where it keeps no relocations.
from_first() {
	local module at rest low
	low=$(awk '$2 ~ /^0x/ { print length($2), $2 }' "$1" | sort -k1,1n -k2 | awk 'NR == 1 { print $2 }')
	while read -r module at rest; do
		[[ $at == 0x* ]] && at=$(printf '%x' $((at - low)))
		echo "$module $at $rest"
	done <"$1" | sort
}

compare() {
	local how=$1 dir

	for dir in plain_relocs "${how}_relocs" "${how}_tables" plain_tables; do
		dump $dir || return 1
	done
	# The same code linked with and without relocations has the same sites at the same addresses.
	diff <(from_first "${how}_relocs.txt") <(from_first "${how}_tables.txt") || return 1
	# Tables change nothing else, and nothing is counted twice.
	diff <(without_addresses plain_relocs.txt) <(without_addresses "${how}_relocs.txt") || return 1
	cmp -s plain_relocs.txt plain_tables.txt && { echo "without either, sites were found"; return 1; }
	"$tool" check "${how}_tables/app" >out || { cat out; return 1; }
	"$tool" list --sites "${how}_tables/app" | awk '/^  0x/ { print $2, $3 }' | sort >list.tables
	"$tool" list --sites "${how}_relocs/app" | awk '/^  0x/ { print $2, $3 }' | sort >list.relocs
	diff list.relocs list.tables || return 1
	for object in *_"$how".o; do
		cp "$object" again.o && "$tool" object again.o && cmp again.o "$object" || return 1
	done
	# Names of variables without a record are gone, nothing else.
	strip "${how}_tables"/* && dump "${how}_tables" && diff <(without_addresses "${how}_relocs.txt" | wc -l) <(wc -l <"${how}_tables.txt") || return 1
	echo "$(wc -l <"${how}_relocs.txt") lines"
}

one() {
	local name="$*" out

	for needed in "$1" "$([ "$2" = mold ] && echo mold || echo "ld.$2")" "$([ "$3" != cxx ] && echo "$1" || echo "${1/gcc/g}++")"; do
		command -v "${needed/gcc++/g++}" >/dev/null || { echo "$name: skip, there is no $needed"; return; }
	done
	mkdir "$tmp/${name// /}" && cd "$tmp/${name// /}" || return
	if ! out=$(build_one "$@" 2>&1); then
		echo "$name: FAIL, does not build: $(grep -m 3 -iE 'error|undefined|warning|relink' <<<"$out" | tr '\n' ' ')"
	elif out=$(compare "$5" 2>&1); then
		echo "$name: ok, $out"
	else
		echo "$name: FAIL, $(head -n 8 <<<"$out")"
	fi
}

. "$RELINK_SOURCE/tests/tools/rows"
each_row 3 "${1:-}"
