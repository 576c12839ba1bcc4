#!/bin/bash
# SPDX-License-Identifier: MIT
# Installs relink into an empty place, moves that place, and builds and runs outside programs in C and in C++ from it alone: with
# find_package(relink) and with pkg-config. Then the same programs with relink as a subproject.
set -uo pipefail

source=${RELINK_SOURCE:-$(cd "$(dirname "$0")/../.." && pwd)}
build=${RELINK_BUILD:-$source/build/gcc}
cmake=${CMAKE:-cmake}
cc=${CC:-cc}
cxx=${CXX:-c++}
passed=0 failed=0 skipped=0
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# step NAME COMMAND...
step() {
	local name=$1
	shift
	if "$@" >"$tmp/log" 2>&1; then
		echo "$name: ok"
		passed=$((passed + 1))
	else
		echo "$name: FAIL, status $?"
		tail -n 20 "$tmp/log"
		failed=$((failed + 1))
	fi
}

skip() {
	echo "$1: skipped, $2"
	skipped=$((skipped + 1))
}

finish() {
	echo "$passed passed, $failed failed, $skipped skipped"
	[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
	exit
}

step "install" "$cmake" --install "$build" --prefix "$tmp/first"
[ "$failed" -eq 0 ] || finish
mv "$tmp/first" "$tmp/prefix"
cp -r "$source/tests/install/consumer" "$tmp/consumer"
cd "$tmp" || exit 1

nothing_else() {
	! grep -rlE -- "$source|$build|$tmp/first" "$tmp/prefix" --include=*.cmake --include=*.pc --include=*.h
}
step "the installed files name no other place" nothing_else

# Every name at the head of a page leads to one, and completion is where shells look for it.
pages_lead_somewhere() {
	local page
	for page in "$tmp"/prefix/share/man/man3/*.3; do
		if grep -q '^\.so ' "$page"; then
			[ -f "$tmp/prefix/share/man/$(sed 's/^\.so //' "$page")" ] || { echo "$page leads nowhere"; return 1; }
		fi
	done
	for page in man1/relink.1 man7/relink.7 man3/relink_key.3 man3/relink_key_set.3 man3/RELINK_DEFINE_CALL.3 man3/relink_quiesce.3; do
		[ -f "$tmp/prefix/share/man/$page" ] || { echo "$page is not installed"; return 1; }
	done
}
step "manual pages" pages_lead_somewhere
if [ -x "$tmp/prefix/bin/relink" ]; then
	step "completion for bash" bash -n "$tmp/prefix/share/bash-completion/completions/relink"
	step "completion for zsh" grep -q '^#compdef relink$' "$tmp/prefix/share/zsh/site-functions/_relink"
fi

# Its commands are in another file, which is found from where it is; whoever takes that away is told which file it was.
commands_are_found() {
	"$tmp/prefix/bin/relink" help list | grep -q '^usage: relink list' && [ "$(readlink "$tmp/prefix/libexec/relink/as")" = relink-tool ] &&
		PATH=$tmp/prefix/libexec/relink:$PATH "$tmp/prefix/libexec/relink/as" --version | grep -qi assembler
}
missing_is_named() {
	local status=0
	mv "$tmp/prefix/libexec/relink" "$tmp/away"
	"$tmp/prefix/bin/relink" list /bin/true 2>"$tmp/err" || status=$?
	mv "$tmp/away" "$tmp/prefix/libexec/relink"
	[ $status -eq 2 ] && [ "$(wc -l <"$tmp/err")" -eq 1 ] && grep -q "^relink: $tmp/prefix/libexec/relink/relink-tool: there is no such file" "$tmp/err"
}
if [ -e "$tmp/prefix/libexec/relink/relink-tool" ]; then
	step "relink finds its commands" commands_are_found
	step "relink without relink-tool" missing_is_named
fi
destdir() { DESTDIR=$tmp/dest "$cmake" --install "$build" --prefix /opt/relink && "$tmp/dest/opt/relink/bin/relink" --version; }
[ ! -x "$tmp/prefix/bin/relink" ] || step "DESTDIR" destdir
[ ! -e "$tmp/dest/opt/relink/libexec/relink/relink-tool" ] || step "DESTDIR: commands" "$tmp/dest/opt/relink/bin/relink" help list

list="loud,greet=greet_twice"
if [ -n "$cxx" ]; then
	step "find_package: configure" "$cmake" -S consumer -B by-cmake -DCMAKE_PREFIX_PATH="$tmp/prefix" -DCMAKE_BUILD_TYPE=Release \
		-DCMAKE_C_COMPILER="$cc" -DCMAKE_CXX_COMPILER="$cxx"
	step "find_package: build" "$cmake" --build by-cmake --parallel
	for app in app app_static app_cxx app_part app_locks; do
		step "find_package: $app" "by-cmake/$app" --relink "$list"
	done
	# Where code is never rewritten, it says so.
	if [ "${RELINK_ARCH:-native}" != generic ] && [ -z "${RELINK_SANITIZE:-}" ]; then
		step "find_package: app_linkage" env XDG_CACHE_HOME="$tmp/cache" by-cmake/app_linkage
	fi
	if [ -x "$tmp/prefix/bin/relink" ] && [ "${RELINK_ARCH:-native}" != generic ] && [ -z "${RELINK_SANITIZE:-}" ]; then
		step "relink run finds its library" env XDG_CACHE_HOME="$tmp/cache" "$tmp/prefix/bin/relink" run --verify true
		if [ -e "$tmp/prefix/libexec/relink/relink-tool" ]; then
			step "and relink-tool does" env XDG_CACHE_HOME="$tmp/cache" "$tmp/prefix/libexec/relink/relink-tool" run --verify true
		fi
	fi
else
	skip "find_package" "there is no C++ compiler"
fi

if command -v pkg-config >/dev/null; then
	pc=$(dirname "$(find "$tmp/prefix" -name relink.pc)")
	libdir=$(dirname "$pc")
	export PKG_CONFIG_PATH=$pc
	options=$(pkg-config --cflags --libs relink)
	step "pkg-config: C" "$cc" -O2 -Wall -Wextra -Werror consumer/app.c $options -Wl,-rpath,"$libdir" -o pc_c
	step "pkg-config: C runs" ./pc_c --relink "$list"
	step "pkg-config: version" test "$(pkg-config --modversion relink)" = "$(sed -nE 's/^project\(relink VERSION ([0-9.]+).*/\1/p' "$source/CMakeLists.txt")"
	if [ -n "$cxx" ]; then
		# Designated initialisers are part of C++20.
		step "pkg-config: C++" "$cxx" -std=c++20 -O2 -Wall -Wextra -Werror consumer/app.cc $options -Wl,-rpath,"$libdir" -o pc_cc
		step "pkg-config: C++ runs" ./pc_cc --relink "$list"
	fi
	step "pkg-config: LOCKS" "$cc" -O2 -Wall -Wextra consumer/app_locks.c $(pkg-config --cflags --libs relink-locks) -Wl,-rpath,"$libdir" -pthread -o pc_locks
	step "pkg-config: LOCKS runs" ./pc_locks
	static=$(pkg-config --static --cflags --libs relink)
	step "pkg-config: C, static" "$cc" -static -O2 consumer/app.c $static -o pc_static
	step "pkg-config: C, static, runs" ./pc_static --relink "$list"
	step "pkg-config: LOCKS, static" "$cc" -static -O2 consumer/app_locks.c -L"$libdir" -lrelink_locks_static -Wl,-u,relink_watches_threads \
		$(pkg-config --variable=static_options relink-locks) $static -o pc_locks_static
	step "pkg-config: LOCKS, static, runs" ./pc_locks_static
else
	skip "pkg-config" "it is not installed"
fi

if [ -n "$cxx" ]; then
	step "subproject: configure" "$cmake" -S consumer -B by-source -DCONSUMER_SOURCE="$source" -DCMAKE_BUILD_TYPE=Release \
		-DCMAKE_C_COMPILER="$cc" -DCMAKE_CXX_COMPILER="$cxx"
	step "subproject: build" "$cmake" --build by-source --parallel
	step "subproject: app" by-source/app --relink "$list"
	no_tests() { ! find by-source -name 'test_*' | grep .; }
	step "subproject: brings no tests" no_tests
fi
finish
