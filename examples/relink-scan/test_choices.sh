#!/bin/sh
# SPDX-License-Identifier: MIT
# test_choices.sh RELINK-SCAN DIRECTORY.. - what the command line decides, and that all backends find the same in real files.
set -u

scan=$1
shift
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
failed=0

fail() {
	echo "FAILED: $*"
	failed=1
}

# has FILE TEXT: a line of the file has the words in this order.
has() {
	grep -Eq -- "$2" "$1" || {
		fail "no \"$2\" in:"
		cat "$1"
	}
}

# files STATE PATH..: what there is in each file, and all that was found together but for the time.
files() {
	state=$1
	shift
	"$scan" --relink "source=$state" --seconds 0 --limit 24M --list "$@" >"$tmp/all" || fail "source=$state ended with $?"
	has "$tmp/all" "source +${state}_source +command line"
	has "$tmp/all" "exactly the sums"
	sed -n '/^Input/,/^Counters/p' "$tmp/all" | grep -v 'GB/s' >"$tmp/$state"
}

for state in read ahead mmap; do
	files "$state" "$@"
	cmp -s "$tmp/read" "$tmp/$state" || {
		fail "source=read and source=$state find different things:"
		diff "$tmp/read" "$tmp/$state" | head -20
	}
done
echo "$(grep -c '^[0-9a-f]\{8\} ' "$tmp/read") files, the same by all backends"

# A backend that was asked for stays in all phases; others are exchanged.
"$scan" --relink source=mmap,locks=on --seconds 0.05 --limit 1M "$1" >"$tmp/out" || fail "source=mmap,locks=on ended with $?"
has "$tmp/out" "source stays mmap_source: decided by the command line"
has "$tmp/out" "decided by the command line|all are there"
grep -q "locks is off" "$tmp/out" && fail "locks=on was not heard"
RELINK=source=ahead "$scan" --seconds 0 --limit 1M "$1" >"$tmp/out" || fail "RELINK=source=ahead ended with $?"
has "$tmp/out" "source +ahead_source +environment"
"$scan" --seconds 0.05 --limit 1M "$1" >"$tmp/out" || fail "a run without choices ended with $?"
has "$tmp/out" "exchanged all along +[0-9.]+ +[0-9]+ +[1-9][0-9]* +0 "

"$scan" --relink source=floppy --seconds 0 "$1" >"$tmp/out" 2>&1
[ $? -eq 2 ] || fail "source=floppy was not refused"
for word in "no state 'floppy'" read_source ahead_source mmap_source; do
	has "$tmp/out" "source.*$word"
done
"$scan" --relink sources=mmap --seconds 0 "$1" >"$tmp/out" 2>&1
[ $? -eq 2 ] || fail "an unknown choice was not refused"
has "$tmp/out" "sources"

exit "$failed"
