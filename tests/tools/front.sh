#!/bin/bash
# SPDX-License-Identifier: MIT
# front.sh - `relink` and relink-tool are one program to whoever uses it: the same words and statuses; found again wherever both are moved
# to; and `relink` alone stays small, and says what is missing.
set -uo pipefail

front=$RELINK_TOOL
tool=${RELINK_TOOL%/*}/libexec/relink-tool
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
export XDG_CACHE_HOME=$tmp/cache
failed=0 passed=0 skipped=0
cd "$tmp" || exit 1

pass() { passed=$((passed + 1)); }
fail() {
	failed=$((failed + 1))
	echo "FAILED $1: ${2:-}"
}
skip() {
	skipped=$((skipped + 1))
	echo "skipped: $1"
}

# ---- it starts fast because nothing else is loaded ----

if [ -n "${RELINK_SANITIZE:-}" ]; then
	skip "which libraries it needs: a sanitizer brings its own"
elif ! command -v readelf >/dev/null; then
	skip "which libraries it needs: no readelf"
else
	needed=$(readelf -dW "$front" | sed -nE 's/.*\(NEEDED\).*\[(.*)\]/\1/p')
	# ld.so itself is named where it has the thread pointer's canary, as on other machines than this
	others=$(grep -vE '^(libc\.so\.[0-9.]+|libc\.musl.*|ld-linux.*\.so\.[0-9]+)$' <<<"$needed")
	[ -n "$needed" ] && [ -z "$others" ] && pass || fail "libraries" "relink needs more than libc: $(tr '\n' ' ' <<<"$others")"
fi

# ---- run needs nothing but relink and its library ----

mkdir -p alone/tools
cp "$front" alone/tools/relink
cp "${front%/*}"/../librelink*.so* alone/
if [ "${RELINK_ARCH:-native}" = native ] && [ "$(uname -m)" = x86_64 ] && [ -z "${RELINK_SANITIZE:-}" ]; then
	said=$(alone/tools/relink run sh -c 'echo $0 $1; exit 3' a b 2>&1)
	[ $? -eq 3 ] && [ "$said" = "a b" ] && pass || fail "run alone" "$said"
	alone/tools/relink run --verify --report="$tmp/report" true 2>err && grep -q '^start-up' report && pass || fail "run --report alone" "$(cat err)"
	alone/tools/relink run --dry-run --json sh >out 2>err && [ ! -s err ] && grep -q '"modules"' out && pass || fail "run --dry-run alone" "$(head -n 3 err)"
else
	skip "run: calls are bound by the native port, on x86-64, without sanitizers"
fi
for words in --version --help "help run" "run --help"; do
	alone/tools/relink $words >out 2>err && [ -s out ] && [ ! -s err ] && pass || fail "$words alone" "$(cat err)"
done
if [ ! -x "$tool" ]; then
	skip "everything about relink-tool: this build has none"
	echo "$passed passed, $failed failed, $skipped skipped"
	exit $((failed > 0))
fi

# missing STATUS PATTERN WORDS...: relink alone, with these words: one line
missing() {
	local status=0
	"${@:3}" >out 2>err </dev/null || status=$?
	[ $status -eq "$1" ] && [ ! -s out ] && [ "$(wc -l <err)" -eq 1 ] && grep -qE -- "$2" err && pass ||
		fail "alone: ${*:3}" "status $status, $(head -n 3 out err)"
}
absent="^relink: $tmp(/alone)?/[^:]*/relink/relink-tool: there is no such file, and list is in there; "
missing 2 "$absent" alone/tools/relink list "$front"
missing 2 "$absent" alone/tools/relink help list
missing 2 "relink: there is no command nonsense" alone/tools/relink nonsense
missing 2 "relink: there is no command nonsense" alone/tools/relink help nonsense
ln -s alone/tools/relink as
missing 2 "relink-tool: there is no such file, and ./as is in there" ./as --version
mkdir alone/tools/libexec
echo text >alone/tools/libexec/relink-tool
missing 2 "^relink: $tmp/alone/tools/libexec/relink-tool: it can't be run, and list is in there: Permission denied" alone/tools/relink list "$front"

# ---- the same words ----

# same WORDS...: both programs write the same and end alike
same() {
	local a=0 b=0
	"$front" "$@" >front.out 2>front.err </dev/null || a=$?
	"$tool" "$@" >tool.out 2>tool.err </dev/null || b=$?
	[ $a -eq $b ] && cmp -s front.out tool.out && cmp -s front.err tool.err && pass ||
		fail "$*" "$a and $b; $(diff front.out tool.out | head -n 3; diff front.err tool.err | head -n 3)"
}
same
for words in --help -h help --version -V nonsense "help nonsense" "help help" "" run "run --" "run nonsense-program" "run --budget=x true" "run --only" \
	"run --json --color=sometimes true" "run --dry-run /" "run --dry-run ./as" "list --color=always $front"; do
	same $words
done
same list "a file with \\ and "$'\n\033[31m'
same run $'no\033such' "an argument"
"$front" --help | sed -nE 's/^  ([a-z]+)  +[^ ].*/\1/p' | sort -u | grep -v help >commands
grep -qx run commands && [ "$(wc -l <commands)" -ge 12 ] && pass || fail "--help" "lists $(tr '\n' ' ' <commands)"
while read -r command; do
	same "$command" --nonsense
	same "$command" --help
	same help "$command"
	grep -q "^usage: relink $command" front.out && pass || fail "help $command" "$(head -n 1 front.out)"
	[ "$command" = ps ] || same "$command"
done <commands
if [ -e /dev/full ]; then
	for words in --version "help run" "help list"; do
		"$front" $words >/dev/full 2>err
		[ $? -eq 2 ] && grep -q "can't write" err && pass || fail "a full disk: $words" "$(cat err)"
	done
fi

# ---- found from wherever ----

mkdir -p "moved to/tools/libexec" path
cp "$front" "moved to/tools/"
cp "$tool" "moved to/tools/libexec/"
ln -s "../moved to/tools/relink" path/relink
"$front" help list >wanted
finds() {
	local what=$1
	shift
	"$@" >out 2>err && cmp -s out wanted && pass || fail "$what" "$(head -n 2 err)"
}
finds "moved" "moved to/tools/relink" help list
finds "a symbolic link" path/relink help list
finds "by PATH" env PATH="$tmp/path:$PATH" relink help list
finds "another name" bash -c 'exec -a "" path/relink help list'
finds "from elsewhere" bash -c 'cd /proc && exec "$0/path/relink" help list' "$tmp"
cp -r "moved to" gone
finds "its file is gone" bash -c 'cd gone/tools && exec 3<relink && rm relink && exec /proc/self/fd/3 help list'
if [ -n "${RELINK_SANITIZE:-}" ]; then
	skip "without /proc: a sanitizer complains"
elif unshare -rm true 2>/dev/null; then
	finds "without /proc" unshare -rm sh -c 'mount -t tmpfs none /proc && exec path/relink help list'
else
	skip "without /proc: no user namespaces here"
fi

# ---- what it costs: that it can be measured ----

if ! command -v python3 >/dev/null; then
	skip "bench/relink_start.py: no python3"
elif [ ! -x /bin/true ] || [ "${RELINK_ARCH:-native}" != native ] || [ "$(uname -m)" != x86_64 ] || [ -n "${RELINK_SANITIZE:-}" ]; then
	skip "bench/relink_start.py: relink run does not run here"
else
	python3 -B "$RELINK_SOURCE/bench/relink_start.py" -n 3 "$front" >out 2>err && [ "$(wc -l <out)" -eq 5 ] && [ ! -s err ] && pass ||
		fail "bench/relink_start.py" "$(head -n 3 err)"
fi

# ---- the same process, with what it was given ----

"$front" object --launch sleep 30 3<commands &
pid=$!
for ((i = 0; i < 100; i++)); do
	exe=$(readlink "/proc/$pid/exe")
	[[ $exe == */relink-tool ]] && break
	sleep 0.05
done
[ "$exe" = "$(realpath "$tool")" ] && pass || fail "the same process" "it runs $exe"
[ "$(tr '\0' ' ' <"/proc/$pid/cmdline")" = "$front object --launch sleep 30 " ] && pass || fail "its words" "$(tr '\0' ' ' <"/proc/$pid/cmdline")"
[ -e "/proc/$pid/fd/3" ] && pass || fail "its descriptors" "3 is closed"
for child in $(cat "/proc/$pid/task/$pid/children" 2>/dev/null); do kill "$child"; done
kill "$pid" 2>/dev/null
wait "$pid" 2>/dev/null

echo "$passed passed, $failed failed, $skipped skipped"
exit $((failed > 0))
