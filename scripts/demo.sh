#!/bin/sh
# SPDX-License-Identifier: MIT
# demo.sh [BUILD-DIRECTORY] - runs relink-scan over this machine's own files; the build directory is build/release unless given.
set -eu

build=${1:-$(dirname "$0")/../build/release}
scan=$build/examples/relink-scan/relink-scan

if [ ! -x "$scan" ]; then
	echo "demo: $scan is missing: build the target relink-scan first" >&2
	exit 1
fi

# What there is of the usual places; relink-scan takes its 256 MiB from the first on.
set --
for dir in /usr/include /usr/share/doc /usr/lib /usr/bin /etc; do
	if [ -d "$dir" ] && [ -r "$dir" ]; then
		set -- "$@" "$dir"
	fi
done

run() {
	printf '$ relink-scan'
	printf ' %s' "$@"
	printf '\n'
	"$scan" "$@"
}

run --seconds 3 "$@"
printf '\n\n'
run --relink idle=poll,crc=generic,source=mmap,locks=on --seconds 0.5 --limit 32M "$@"
