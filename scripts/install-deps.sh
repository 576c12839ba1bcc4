#!/bin/bash
# SPDX-License-Identifier: MIT
# Installs the Debian packages of scripts/packages.txt that are missing; elsewhere says what is. Prints one line, and fails
# only where something essential lacks.
set -euo pipefail

list=$(dirname "$0")/packages.txt
say() { echo "install-deps: $*"; }
packages() { sed 's/#.*//' "$list" | awk 'NF == 3'; }

# Which essential commands lack, and which others.
missing_commands() {
	packages | while read -r _ command need; do
		if [ "$need" = "$1" ] && [ "$command" != - ] && ! command -v "$command" >/dev/null; then
			printf '%s ' "$command"
		fi
	done
}

missing_packages() {
	local installed
	installed=$(packages | awk '{ print $1 }' | xargs dpkg-query -W -f '${binary:Package} ${db:Status-Status}\n' 2>/dev/null |
		awk '$2 == "installed" { sub(/:.*/, "", $1); print $1 }') || true
	packages | awk '{ print $1 }' | grep -vxF "${installed:-none}" || true
}

finish() {
	local essential optional
	essential=$(missing_commands essential)
	optional=$(missing_commands optional)
	if [ -n "$essential" ]; then
		say "please install $essential(needed)${optional:+ and $optional(for all tests)}: $1" >&2
		exit 1
	fi
	say "${optional:+without $optional some tests are skipped; }$1"
	exit 0
}

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
	finish "this is no Debian system, nothing was installed"
fi

missing=$(missing_packages)
if [ -z "$missing" ]; then
	say "all $(packages | wc -l) packages are there"
	exit 0
fi

as_root=""
if [ "$(id -u)" -ne 0 ]; then
	as_root=sudo
	if ! command -v sudo >/dev/null; then
		finish "not root and no sudo, so not installed: $(echo $missing)"
	fi
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT
export DEBIAN_FRONTEND=noninteractive
if ! $as_root apt-get -q update >"$log" 2>&1; then
	tail -n 3 "$log" >&2
	finish "apt-get update failed, so not installed: $(echo $missing)"
fi
# Releases differ in what they have.
available=""
for package in $missing; do
	if apt-cache show "$package" >/dev/null 2>&1; then
		available+=" $package"
	fi
done
if [ -z "$available" ]; then
	finish "this release has no $(echo $missing)"
fi
if ! $as_root env DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends $available >"$log" 2>&1; then
	tail -n 5 "$log" >&2
	finish "apt-get could not install$available"
fi
finish "installed$available"
