#!/bin/bash
# SPDX-License-Identifier: MIT
# test: TIMEOUT 900
# What `relink bake` writes against what the runtime writes: for compilers, linkers and models, a program in which choices were baked has
# the same code in memory, byte for byte, the same results and the same states as one in which they were set. It runs where code can't be
# written, writes nothing, and refuses to be anything else. Prints one line per combination; with an argument, only those that match it.
set -uo pipefail

. "$RELINK_SOURCE/tests/tools/build_subject"
deny=$RELINK_TEST_BIN/tools.deny
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
[ "${RELINK_ARCH:-native}" = native ] && [ -x "${RELINK_TOOL:-}" ] || exit 77
[ "$(uname -m)" = x86_64 ] && setarch -R true || exit 77

table+='
gcc   bfd  symbolic   -O2
clang lld  symbolic   -O2
gcc   mold symbolic   -O1
'
# Every choice but those of the loader's modules; the first also with every state of every choice alone, in three of the combinations.
settings='
trace=on,checks=on,queues[0]=off,queues[1]=on,queues[2]=off,idle=poll,hash=other,hook=hook_on,limit=7,offset=-70000,add=twice,store=none lib_call=lib_other,lib_key=off,lib_number=-5000000000
trace=off,checks=off,queues[0]=on,queues[1]=off,queues[2]=on,idle=sleep,hash=seven,hook=null,limit=0,offset=2147483647,add=function,store=disk lib_call=lib_plain,lib_key=on,lib_number=123456789012345
trace=on,checks=off,queues[0]=off,queues[1]=off,queues[2]=off,idle=halt,hash=plain,hook=null,limit=40000,offset=-5,add=long_one,store=none lib_call=lib_other,lib_key=on,lib_number=0
trace=off,checks=on,queues[0]=off,queues[1]=off,queues[2]=off,idle=halt,hash=plain,hook=null,limit=40000,offset=-5,add=native,store=disk lib_call=lib_plain,lib_key=off,lib_number=-5000000000
'
alone='^(gcc *bfd *pie|clang *lld *no-pie|gcc *mold *static-pie)'
singles='
trace=on trace=off checks=on checks=off queues[0]=on queues[1]=on queues[1]=off queues[2]=on idle=halt idle=poll idle=sleep hash=plain
hash=other hash=fast hash=seven hook=hook_on hook=null limit=65535 limit=0 offset=-1 offset=0x7fffffff add=native add=twice add=long_one
add=function store=disk store=none locks=on
'

# bake_files APP-WISHES LIB-WISHES: into the directory baked
bake_files() {
	rm -rf baked && mkdir baked || return
	if [ -f libsubject.so ]; then
		if [ -n "$2" ]; then
			"$RELINK_TOOL" bake libsubject.so "$2" -o baked/libsubject.so >baked/said 2>&1 || return
		else
			cp libsubject.so baked
		fi
		"$RELINK_TOOL" bake app ${1//,/ } --with baked/libsubject.so -o baked/app >>baked/said 2>&1 || return
	else
		"$RELINK_TOOL" bake app "$1" ${2:+"$2"} -o baked/app >baked/said 2>&1 || return
	fi
	"$RELINK_TOOL" check baked/app $([ -f libsubject.so ] && echo baked/libsubject.so) >baked/checked 2>&1
	! grep -v 'relink-111' baked/checked | grep -E '\[relink-[0-9]+\]' >>baked/said
}

# run DIRECTORY PROGRAM-AND-ITS-RUNNER...: text, states and results
run() {
	local to=$1
	shift
	rm -rf "$to" && mkdir "$to" && SUBJECT_TEXT=$to setarch -R "$@" >"$to/sites" 2>"$to/err" && grep -E "^(state|result|late)" "$to/err" | grep -vE "^state (locks|handler|codec|unlisted|on_signal|lib_pointer|lib_hidden)\\b" | sort >"$to/says"
}

# Calls of a shared object's own go by its PLT where another module may come before it, and then they are left there.
same() {
	local file code='^(app|libsubject)'

	[ "$model" = shared ] && code='^app'
	for file in says $(cd one && ls | grep -E "$code"); do
		if ! cmp "one/$file" "two/$file"; then
			[ "$file" = says ] && diff one/says two/says
			return 1
		fi
	done
}

# Set at run time, then baked: the same?
compare() {
	local list=$1${2:+,$2}
	[ "$list" = locks=on ] && list=checks=on

	RELINK=$list SUBJECT_TRAPS=1 run one ./app || { echo "set $list: $(head -n 3 one/err)"; return 1; }
	bake_files "$1" "${2:-}" || { echo "bake $list: $(cat baked/said)"; return 1; }
	SUBJECT_TRAPS=1 SUBJECT_EARLY=1 run two baked/app || { echo "baked $list: $(head -n 3 two/err)"; return 1; }
	same || { echo "$list: not the same"; return 1; }
	[ "$(sed -n 's/^early //p' two/err)" = "$(sed -n 's/^late //p' two/err)" ] || { echo "$list: data is late: $(grep -E '^(early|late)' two/err)"; return 1; }
}

# With all choices baked nothing is written, and it need not be possible.
check_writes() {
	SUBJECT_TRAPS='' run two baked/app && grep -q '^writes 0, pending 0, direct' two/err || { echo "writes: $(grep ^writes two/err)"; return 1; }
	grep '^decided' two/err | grep -vE ' key@| locks | (handler|codec|unlisted|on_signal|lib_pointer|lib_hidden)' | grep -v 'baked file, baked$' && { echo "not shown as baked"; return 1; }
	[ -x "$deny" ] || return 0
	"$deny" "$(type -P true)" || return 0
	run three "$deny" ./baked/app && grep -q '^writes 0, pending 0, indirect' three/err || { echo "denied: $(grep -v '^state' three/err)"; return 1; }
	cmp two/says three/says
}

# refuse NAME=STATE: by everybody
refuse() {
	local wish=$1 who out

	out=$(RELINK=$wish SUBJECT_SET=$wish setarch -R baked/app --relink "$wish" 2>&1 >/dev/null) || { echo "$wish: $out"; return 1; }
	for who in list program force stopped; do
		grep -q "^answer $who RELINK_E_BAKED .*baked into this file as" <<<"$out" || { echo "$wish by $who: $(grep "^answer $who" <<<"$out")"; return 1; }
	done
	grep -q '^init .*baked into this file' <<<"$out" && grep -qF "environment: $wish: baked into this file" <<<"$out" ||
		{ echo "$wish: $(grep -E '^(init|environment)' <<<"$out")"; return 1; }
	grep -qF "state ${wish%%=*} ${wish#*=}" <<<"$out" && { echo "$wish: was changed"; return 1; }
	return 0
}

check_refusals() {
	local wish

	for wish in trace=off 'queues[1]=off' idle=halt hash=plain hook=null limit=8 add=native store=disk; do
		refuse "$wish" || return
	done
}

all() {
	local app lib first=1 wish

	while read -r app lib; do
		[ -n "$app" ] || continue
		compare "$app" "$lib" && check_writes || return
		[ $first = 0 ] || check_refusals || return
		first=0
	done <<<"$settings"
	[ "$1" = singles ] || return 0
	for wish in $singles; do
		compare "$wish" || return
	done
}

one() {
	local name="$*" model=$3 out

	for tool in "$1" "$([ "$2" = mold ] && echo mold || echo "ld.$2")"; do
		command -v "$tool" >/dev/null || { echo "$name: skip, there is no $tool"; return; }
	done
	mkdir "$tmp/${name// /}" && cd "$tmp/${name// /}" || return
	if ! out=$(build_one "$@" 2>&1); then
		if grep -qE 'unknown|unrecognized|relr' <<<"$out"; then
			echo "$name: skip, $(grep -m 1 -E 'unknown|unrecognized|relr' <<<"$out")"
		else
			echo "$name: FAIL, does not build: $(grep -m 3 -iE 'error|undefined|warning' <<<"$out" | tr '\n' ' ')"
		fi
	elif out=$(all "$([[ $name =~ $alone ]] && echo singles)" 2>&1); then
		echo "$name: ok"
	else
		echo "$name: FAIL, $out"
	fi
	[ -n "${KEEP:-}" ] && cp -r "$PWD" "$KEEP"
}

. "$RELINK_SOURCE/tests/tools/rows"
each_row 2 "${1:-}"
