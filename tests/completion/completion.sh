#!/bin/bash
# SPDX-License-Identifier: MIT
# Completion in bash: the line is cut into words as readline does, and COMPREPLY is what it would offer. zsh's is read by zsh alone.
set -uo pipefail

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp" || exit 1
failed=0
mkdir bin
ln -s "$RELINK_TOOL" bin/relink
cp "$RELINK_TEST_BIN/tools.subject" program
echo text >plain.txt
mkdir 'a directory'
PATH=$tmp/bin:$PATH
source "$RELINK_SOURCE/completions/relink.bash"
compopt() { :; } # completes nothing here

# offers LINE: one answer per line in `answers`, as readline asks: breaks of words are words of their own.
offers() {
	local line=$1 word="" c i breaks=$' \t\n'"$COMP_WORDBREAKS"
	COMP_LINE=$line COMP_POINT=${#line} COMP_WORDS=() COMPREPLY=()
	for ((i = 0; i < ${#line}; i++)); do
		c=${line:i:1}
		if [[ $breaks == *"$c"* ]]; then
			[[ -n $word ]] && COMP_WORDS+=("$word")
			word=""
			[[ $c != [[:space:]] ]] && COMP_WORDS+=("$c")
		else
			word+=$c
		fi
	done
	COMP_WORDS+=("$word")
	COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
	_relink >out 2>&1 </dev/null
	[ ! -s out ] || { echo "$line: prints $(head -n 1 out)"; failed=1; }
	answers=$(printf '%s\n' "${COMPREPLY[@]}")
}

# has LINE ANSWER.., lacks LINE ANSWER..
has() {
	local answer
	offers "$1"
	for answer in "${@:2}"; do
		grep -qxF -- "$answer" <<<"$answers" || { echo "\"$1\": does not offer $answer, but $(tr '\n' ' ' <<<"$answers")"; failed=1; }
	done
}
lacks() {
	local answer
	offers "$1"
	for answer in "${@:2}"; do
		! grep -qxF -- "$answer" <<<"$answers" || { echo "\"$1\": offers $answer"; failed=1; }
	done
}
nothing() {
	offers "$1"
	[ -z "$answers" ] || { echo "\"$1\": offers $answers"; failed=1; }
}

everything() {
	has 'relink ' list show check help --version
	has 'relink s' show
	lacks 'relink s' list check
	# What this relink does not have is not offered.
	for command in $(relink --help | sed -nE 's/^  ([a-z]+)  +[^ ].*/\1/p'); do
		has 'relink ' "$command"
		relink help "$command" >/dev/null || { echo "$command: offered, and there is no help"; failed=1; }
	done
	nothing 'relink no_such_comm'
	has 'relink help ' list check
	has 'relink list --' --sites --choice --kind --function --uses --json --color --help
	lacks 'relink list --' --intel
	has 'relink show --' --intel --with --all
	has 'relink check --s' --sarif
	has 'relink list --color ' auto always never
	has 'relink list --kind ' key pointer use pointer-got
	has 'relink list -k tr' trampoline
	has 'relink list pro' program
	has 'relink list ' program plain.txt 'a directory'
	has 'relink show program ' trace checks idle handler 'queues[1]'
	has 'relink show program tra' trace
	lacks 'relink show program tra' checks
	has 'relink list program --choice i' idle
	has 'relink show --with program program ' trace
	has "$tmp/bin/relink show program tra" trace
	# Commands to come, whose arguments are known.
	has 'relink bake program id' idle=
	nothing 'relink list --function '
	nothing 'relink list --uses '
	# What can't be read offers nothing, and says nothing.
	nothing 'relink show missing '
	nothing 'relink show plain.txt '
	nothing 'relink bake missing trace='
	nothing 'relink set 999999999 '
	nothing 'no_such_program_at_all '
}

# With `=` and `:` as separators, as bash has it, and without.
COMP_WORDBREAKS=$' \t\n"\'><=;|&(:'
everything
has 'relink bake program idle=' halt poll sleep
has 'relink bake program trace=on idle=p' poll
has 'relink list --color=a' auto always
lacks 'relink bake program idle=p' halt
COMP_WORDBREAKS=$' \t\n"\'><;|&('
everything
has 'relink bake program idle=' idle=halt idle=poll idle=sleep
has 'relink list --color=n' --color=never

# Processes: from a program that has `ps`.
cat >bin/other <<'END'
#!/bin/sh
case $1 in
--help) printf '  ps      processes\n  set     changes\n  watch   looks\n' ;;
ps) printf '{\n  "processes": [\n    {\n      "pid": 4711,\n      "name": "server"\n    }\n  ]\n}\n' ;;
list) [ "$3" = -- ] && [ "$4" = 4711 ] && exec "$RELINK_TOOL" list --json "$RELINK_TEST_BIN/tools.subject" ;;
esac
END
chmod +x bin/other
has 'other ' ps set watch
has 'other set ' 4711
has 'other watch 4' 4711
has 'other set 4711 ' trace
has 'other set 4711 idle=' idle=poll
nothing 'other ps '

# Kinds are those that the program accepts.
for kind in $_relink_kinds; do
	relink list --kind "$kind" program >/dev/null 2>err || { echo "--kind $kind: $(head -n 1 err)"; failed=1; }
done

if command -v zsh >/dev/null; then
	zsh -n "$RELINK_SOURCE/completions/_relink" || failed=1
else
	echo "zsh's completion is not read: there is no zsh"
fi
exit $failed
