#!/bin/bash
# SPDX-License-Identifier: MIT
# showcase.sh [PROGRAM...]: builds relink in build/showcase/release, runs programs of the distribution with and without it, prints
# what they gain and leaves results.json and gains.svg in build/showcase. Takes three quarters of an hour on an idle machine;
# SHOWCASE_ROUNDS=3 SHOWCASE_SECONDS=0.1 is a quick look.
set -euo pipefail

cd "$(dirname "$0")/.."
out=build/showcase
build=$out/release

if ! command -v python3 >/dev/null; then
	echo "showcase: python3 is missing (Debian: python3)" >&2
	exit 1
fi
mkdir -p "$out"
log=$out/build.log
echo "showcase: building" >&2
if ! { cmake --preset release -B "$build" -DRELINK_BUILD_TESTS=OFF -DRELINK_BUILD_EXAMPLES=OFF && cmake --build "$build" --parallel; } >"$log" 2>&1; then
	tail -n 20 "$log" >&2
	echo "showcase: the build failed: $log" >&2
	exit 1
fi
relink=$build/tools/relink
if [ ! -x "$relink" ]; then
	echo "showcase: $relink was not built: $log" >&2
	exit 1
fi
# The smallest program, so that what the machine refuses is said in one line and not in the midst of an hour.
if ! said=$("$relink" run --no-cache -- /bin/true 2>&1) || [ -n "$said" ]; then
	echo "showcase: relink run does not work here: $(head -n 1 <<<"$said")" >&2
	exit 1
fi
exec python3 -B showcase/run.py "$relink" "$build" "$out" "$@"
