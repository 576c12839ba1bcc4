#!/bin/bash
# SPDX-License-Identifier: MIT
# Builds matrix.h's program with compilers, linkers, models, levels and extras, and runs it. Every pair of values that can be
# combined is in some line of the table. Prints one line per combination. With an argument, only lines that match it.
set -uo pipefail

source=${RELINK_SOURCE:-$(cd "$(dirname "$0")/../.." && pwd)}
build=$(dirname "${RELINK_STATIC_LIB:-$source/build/gcc/librelink.a}")
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
export source build tmp

table='
gcc   bfd  pie        -O2  plain
gcc   bfd  no-pie     -O0  no-plt
gcc   bfd  static     -O3  cf-protection
gcc   bfd  static-pie -O2  gc-sections
gcc   bfd  pie        -O3  lto
gcc   bfd  no-pie     -O2  lto
gcc   bfd  static     -O0  lto
gcc   bfd  static-pie -O3  lto
gcc   lld  static     -O2  no-plt
gcc   lld  no-pie     -O3  icf
gcc   lld  pie        -O0  cf-protection
gcc   mold pie        -O0  gc-sections
gcc   mold static-pie -O0  plain
gcc   mold static     -O2  icf
gcc   mold pie        -O3  no-plt
clang bfd  pie        -O0  gc-sections
clang bfd  static-pie -O3  no-plt
clang bfd  no-pie     -O2  cf-protection
clang bfd  static     -O0  plain
clang lld  static-pie -O0  icf
clang lld  pie        -O2  lto
clang lld  no-pie     -O0  lto
clang lld  static     -O3  lto
clang lld  static-pie -O2  lto
clang lld  no-pie     -O3  plain
clang lld  static     -O3  gc-sections
clang mold pie        -O2  icf
clang mold no-pie     -O3  gc-sections
clang mold static-pie -O2  cf-protection
clang mold static     -O0  no-plt
gcc   bfd  pie        -O2  unmarked
gcc   bfd  pie        -O2  stripped
clang lld  static-pie -O2  unmarked
'

# one COMPILER LINKER MODEL LEVEL EXTRA: a line "... ok|skip|FAIL ...".
one() {
	local cc=$1 linker=$2 model=$3 level=$4 extra=$5 cxx here=$source/tests/toolchain
	local name="$*" dir flags link app_flags app_link expect=0 out status
	dir=$tmp/$(tr -dc 'A-Za-z0-9' <<<"$name")
	case $cc in gcc) cxx=g++ ;; *) cxx=clang++ ;; esac
	for tool in "$cc" "$cxx" "$([ "$linker" = mold ] && echo mold || echo "ld.$linker")"; do
		if ! command -v "$tool" >/dev/null; then
			echo "$name: skip, there is no $tool"
			return
		fi
	done
	mkdir "$dir"
	flags="$level -I $source/include -Wall -Wextra -Werror"
	link="-fuse-ld=$linker -Wl,--emit-relocs -Wl,-z,now"
	export THROUGH_PLT=1
	case $extra in
	no-plt) flags+=" -fno-plt" THROUGH_PLT=0 ;;
	cf-protection) flags+=" -fcf-protection" ;;
	gc-sections) flags+=" -ffunction-sections -fdata-sections" link+=" -Wl,--gc-sections" ;;
	icf) flags+=" -ffunction-sections" link+=" -Wl,--icf=all" ;;
	lto) flags+=" -flto" link+=" -flto $level" ;;
	unmarked) link=${link/-Wl,--emit-relocs/} expect=3 ;;
	stripped) expect=3 ;;
	esac
	case $model in
	pie) app_flags=-fPIE app_link=-pie ;;
	no-pie) app_flags=-fno-pie app_link=-no-pie ;;
	static) app_flags="-fno-pie -DSTATIC" app_link="-static -no-pie" ;;
	static-pie) app_flags="-fPIE -DSTATIC" app_link=-static-pie ;;
	esac
	out=$({
		cd "$dir" &&
			$cc $flags $app_flags -c "$here/app.c" -o app.c.o &&
			$cxx -std=gnu++17 $flags $app_flags -c "$here/app.cc" -o app.cc.o || exit
		case $model in
		static*)
			$cc $flags $app_flags -c "$here/lib.c" -o lib.o &&
				$cxx $app_link $link app.c.o app.cc.o lib.o "$build/librelink.a" -pthread -o app
			;;
		*)
			$cc $flags -fPIC -c "$here/lib.c" -o lib.o &&
				$cc $flags -fPIC -c "$here/plugin.c" -o plugin.o &&
				$cc -shared $link lib.o -L "$build" -lrelink -o libshape.so &&
				$cc -shared $link plugin.o libshape.so -L "$build" -lrelink -o plugin.so &&
				$cxx $app_link -rdynamic $link app.c.o app.cc.o libshape.so -L "$build" -lrelink \
					-Wl,-rpath,"$dir:$build" -pthread -ldl -o app
			;;
		esac || exit
		[ "$extra" != stripped ] || strip app libshape.so plugin.so
	} 2>&1) || {
		# mold 1.10 loses a symbol where it folds code of a static program and keeps relocations.
		if [ "$linker-$extra" = mold-icf ] && grep -q 'mold.*Assertion' <<<"$out"; then
			echo "$name: skip, this mold aborts: $(grep -o 'Assertion.*' <<<"$out")"
			return
		fi
		echo "$name: FAIL, does not build: $(grep -iE 'error|undefined|warning' <<<"$out" | head -n 3 | tr '\n' ' ')"
		return
	}
	case $model in
	static*) out=$(timeout 20 "$dir/app" 2>&1) ;;
	*) out=$(timeout 20 "$dir/app" "$dir/plugin.so" 2>&1) ;;
	esac
	status=$?
	out=$(tr '\n' ' ' <<<"$out")
	if [ $status -eq $expect ]; then
		echo "$name: ok, $out"
	else
		echo "$name: FAIL, status $status, $out"
	fi
}
export -f one

if [ ! -f "$build/librelink.a" ]; then
	echo "there is no $build/librelink.a; build first" >&2
	exit 1
fi
grep . <<<"$table" | grep -E -- "${1:-.}" | tr -s ' ' | xargs -P "$(nproc)" -L 1 bash -c 'one "$@"' one | tee "$tmp/results"
passed=$(grep -c ': ok' "$tmp/results")
failed=$(grep -c ': FAIL' "$tmp/results")
skipped=$(grep -c ': skip' "$tmp/results")
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
