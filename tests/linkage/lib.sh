# SPDX-License-Identifier: MIT
# lib.sh - for the scripts here: builds libraries and programs as distributions do, runs them with and without relink.
#
# What is tested lies in a library, whose calls of others and of itself go through stubs: a program is main() alone, since
# position-independent ones are out of their libraries' reach.
set -u

[ "$RELINK_ARCH" = native ] || { echo "skipped: calls are bound by the native port alone"; exit 77; }
# A sanitizer's runtime wants to be the first library; librelink-run.so is in front of it.
[ -z "${RELINK_SANITIZE:-}" ] || { echo "skipped: a sanitizer's runtime can't be behind a preloaded library"; exit 77; }
[ "$(uname -m)" = x86_64 ] || { echo "skipped: calls are bound on x86-64 alone"; exit 77; }

here=$RELINK_SOURCE/tests/linkage
work=$(mktemp -d)
chmod 755 "$work"
trap 'rm -rf "$work"' EXIT
export XDG_CACHE_HOME=$work/cache
mkdir "$work/cache"
unset RELINK_LINKAGE LD_PRELOAD LD_BIND_NOW
passed=0
failed=0
skipped=0
cc=${CC:-gcc}

pass() { passed=$((passed + 1)); }
fail() {
	failed=$((failed + 1))
	echo "FAILED $1: ${2:-}"
}
broken() {
	fail "$1" "can't be built"
	exit 1
}
skip() {
	skipped=$((skipped + 1))
	echo "skipped: $1"
}
finish() {
	echo "$passed passed, $failed failed, $skipped skipped"
	((failed)) && exit 1
	((passed)) || exit 77
	exit 0
}

# library NAME SOURCE [FLAG]...: libNAME.so. Distributions mix lazy and eager binding; flags decide. A call in a loop is one call.
library() {
	"$cc" -D_GNU_SOURCE -g -O2 -fno-unroll-loops -fPIC -shared -w -pthread -o "$work/lib$1.so" "$here/$2" -Wl,-soname,"lib$1.so" -L"$work" -Wl,-rpath,"$work" "${@:3}" ||
		broken "lib$1.so"
}

# program NAME LIBRARY [FLAG]...: its main() calls trap_main() of that library.
program() {
	"$cc" -D_GNU_SOURCE -g -O2 -fno-unroll-loops -w -pthread -o "$work/$1" "$here/main.c" -L"$work" "-l$2" -Wl,-rpath,"$work" "${@:3}" || broken "$1"
}

# trap NAME SOURCE [FLAG]...: both of them.
trap_program() {
	library "$1" "${@:2}"
	program "$1" "$1"
}

# Sum of a number in the last report: of a module's, whose file's name is $2, or of all.
reported() {
	grep "${2:+/$2\"}" "$work/report" | grep -o "\"$1\": [0-9]*" | awk '{ s += $NF } END { print s + 0 }'
}

forget() { rm -rf "$work/cache/relink"; }

# One run with relink: its output, status and report are left in files.
with_relink() {
	rm -f "$work/report"
	"$RELINK_TOOL" run --verify --json --report="$work/report" "${options[@]}" "$@" >"$work/out" 2>"$work/err" </dev/null
	echo $? >"$work/status"
}

without() {
	"$@" >"$work/plain.out" 2>"$work/plain.err" </dev/null
	echo $? >"$work/plain.status"
}

# is_same NAME: what the two runs have left.
is_same() {
	local what

	for what in out err status; do
		cmp -s "$work/plain.$what" "$work/$what" && continue
		fail "$1" "$what differs: $(diff "$work/plain.$what" "$work/$what" | head -5)"
		return 1
	done
	return 0
}

# is_bound NAME LEAST [MODULE]: as many calls were, and all of them lead where their slots do.
is_bound() {
	local bound differ

	[ -s "$work/report" ] || { fail "$1" "there is no report"; return 1; }
	bound=$(reported bound "${3:-}") differ=$(reported differ)
	[ "$differ" = 0 ] || { fail "$1" "$differ calls lead elsewhere"; return 1; }
	((bound >= $2)) || { fail "$1" "$bound calls are bound, not $2: $(grep "${3:-}" "$work/report" | head -2)"; return 1; }
	return 0
}

# same LEAST MODULE PROG [ARG]...: a cold and a warm run, and one with all calls bound, are what one without relink is. LEAST
# calls of MODULE are bound at the end ("-": it does not live to tell; "all=4": four in that run, others need not be any).
all_modes="cold warm all"
modes=$all_modes
options=()
same() {
	local mode name

	name=$(basename "$3")
	without "${@:3}"
	forget
	for mode in $modes; do
		case $mode in
		all) with_relink --policy all -- "${@:3}" ;;
		*) with_relink -- "${@:3}" ;;
		esac
		is_same "$name ${*:4} ($mode)" || continue
		case $1 in
		-) ;;
		all=*) [ $mode != all ] || is_bound "$name ${*:4} ($mode)" "${1#all=}" "$2" || continue ;;
		*) is_bound "$name ${*:4} ($mode)" "$1" "$2" || continue ;;
		esac
		pass
	done
}
