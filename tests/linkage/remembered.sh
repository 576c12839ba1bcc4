#!/bin/bash
# SPDX-License-Identifier: MIT
# test: TIMEOUT 120
# remembered.sh - what a run finds hot comes back in the next one of the same program, and in no other program's.
. "$RELINK_SOURCE/tests/linkage/lib.sh"

now="-Wl,-z,now"
files() { ls "$work/cache/relink" 2>/dev/null | grep -c "^linkage-${1:-}"; }
# remembered MODULE PROG [ARG]...: calls of it that are bound where nothing is learned.
remembered() {
	options=(--policy cached)
	with_relink "${@:2}"
	options=()
	reported bound "$1"
}

# ---- two programs, one library ----

library surroundings surroundings.c $now
program one surroundings $now
program two surroundings $now -Wl,--defsym=another=1 # it has to have another build-id
cmp -s <(readelf -n "$work/one") <(readelf -n "$work/two") && broken "programs of two build-ids"
lib=libsurroundings.so
[ "$(remembered $lib "$work/one" sum)" = 0 ] && pass || fail "the first run" "something is known"
with_relink "$work/one" sum
[ "$(files '[0-9a-f]*$')" = 1 ] && [ "$(ls "$work/cache/relink" | wc -l)" = 1 ] && pass || fail "one file" "$(ls "$work/cache/relink")"
first=$(remembered $lib "$work/one" sum)
((first >= 3)) && pass || fail "the next run" "$first calls are bound"
[ "$(remembered '' "$work/two" sum)" = 0 ] && pass || fail "another program" "it is bound what the first one made hot"
with_relink "$work/two" status 0 # calls less
second=$(remembered $lib "$work/two" sum)
((second >= 1 && second < first)) && [ "$(remembered $lib "$work/one" sum)" = "$first" ] && [ "$(files)" = 2 ] && pass ||
	fail "two programs" "$second and $first calls are bound, $(files) files"

# Nothing is new: nothing is written.
touch -d '1 hour ago' "$work"/cache/relink/linkage-*
with_relink "$work/one" sum
[ -z "$(find "$work/cache/relink" -name 'linkage-*' -mmin -30)" ] && pass || fail "nothing new" "is written"

# ---- plugins ----

forget
library common plugin.c -DVALUE=1
library pluginlocal plugin.c -DVALUE=2 $now
library plugindeep plugin.c -DVALUE=3 $now
library pluginglobal plugin.c -DVALUE=4 $now
library pluginuser plugin.c $now
library pluginnow plugin.c $now
library loading loading.c $now
program loading loading -Wl,--no-as-needed -lcommon $now
plugins() { remembered libpluginnow.so "$work/loading" scopes; }
with_relink "$work/loading" scopes
first=$(plugins)
((first >= 1)) && [ "$(files)" = 1 ] && pass || fail "dlopen" "$first calls are bound in the next run"
# Runs without the plugin, which have something new to write.
[ "$(remembered libloading.so "$work/loading" callers)" = 0 ] && pass || fail "callers" "is hot before it has run"
# A short run of what is known learns little: it is told to.
options=(--policy learn)
with_relink "$work/loading" callers
options=()
((first == $(plugins))) && pass || fail "a plugin that was not loaded" "$(plugins) calls are bound, not $first"
(($(remembered libloading.so "$work/loading" callers) >= 1)) && pass || fail "callers" "has not been remembered"
options=(--policy learn)
with_relink "$work/loading" callers
options=()
((first == $(plugins))) && pass || fail "--policy learn" "$(plugins) calls are bound, not $first"
forget
[ "$(plugins)" = 0 ] && pass || fail "no file" "$(plugins) calls are bound"

# ---- without a build-id ----

forget
program none surroundings $now -Wl,--build-id=none
cp "$work/none" "$work/same"
readelf -n "$work/none" | grep -q 'Build ID' && broken "a program without build-id"
modes="cold warm"
same 3 $lib "$work/none" sum
[ "$(files 'path-[0-9a-f]\{32\}$')" = 1 ] && [ "$(files)" = 1 ] && pass || fail "no build-id" "$(ls "$work/cache/relink")"
first=$(remembered $lib "$work/none" sum)
((first >= 3)) && pass || fail "no build-id" "$first calls are bound in the next run"
[ "$(remembered '' "$work/same" sum)" = 0 ] && pass || fail "no build-id" "programs in two places are one"
# Another program comes to the same place. It is started as itself.
rm "$work/none"
program none loading $now -Wl,--build-id=none
without "$work/none" callers
with_relink "$work/none" callers
is_same "replaced (first)" && with_relink "$work/none" callers && is_same "replaced (next)" && is_bound "replaced" 1 libloading.so && pass
finish
