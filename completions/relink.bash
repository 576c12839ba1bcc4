# SPDX-License-Identifier: MIT
# bash completion for relink. Commands and options are those that the installed program says it has; choices and states are read from
# the file, or the process, that stands on the line. What can't be found out is left out: nothing is ever printed.

# Runs the program that is being completed.
_relink_run() {
	local limit=()
	command -v timeout >/dev/null 2>&1 && limit=(timeout 5)
	"${limit[@]}" "$_relink_program" "$@" 2>/dev/null </dev/null
}

_relink_commands() {
	_relink_run --help | sed -nE 's/^  ([a-z]+)  +[^ ].*/\1/p'
}

_relink_options() {
	_relink_run help "$1" | sed -nE '/^ *-/ { s/^ *//; s/  .*//; p; }' | grep -oE -- '--?[a-z][a-z-]*' | grep -vE -- '^-.$'
	echo --help
}

# Names of the choices of a file or process; with a name behind it, that choice's states. Names that a shell would have to quote are
# left out. The program writes one key per line, and what belongs together is as far to the right.
_relink_names() {
	_relink_run list --json -- "$1" | awk -v choice="${2-}" '
		function value(s) { sub(/^ *"name": "/, "", s); sub(/",?$/, "", s); return s }
		{ match($0, /^ */); indent = RLENGTH }
		/^ *"choices": \[$/ { inside = 1; base = indent; next }
		inside && indent <= base { inside = 0 }
		inside && indent == base + 4 && /"name": / { name = value($0); if (choice == "") print name; next }
		inside && indent == base + 8 && /"name": / && choice != "" && name == choice { print value($0) }
	' | grep -E '^[][A-Za-z0-9_.:+@-]+$' | sort -u
}

_relink_pids() {
	_relink_run ps --json | sed -nE 's/^ *"pid": *([0-9]+),?$/\1/p'
}

# A process that does not answer is completed as the file that it runs.
_relink_names_of() {
	local names
	names=$(_relink_names "$@")
	[[ -z $names && $1 =~ ^[0-9]+$ && -r /proc/$1/exe ]] && names=$(_relink_names "/proc/$1/exe" "${2-}")
	printf '%s\n' "$names"
}

# name=state. `=` and `:` may separate words for readline: then only what is behind the last one is replaced.
_relink_settings() {
	local target=$1 cur=$2 head=""
	if [[ $cur == *=* ]]; then
		_relink_words "$(_relink_names_of "$target" "${cur%%=*}")" "${cur#*=}"
		head=${cur%%=*}=
	else
		_relink_words "$(_relink_names_of "$target")" "$cur"
		[[ ${#COMPREPLY[@]} -eq 1 ]] && COMPREPLY=("${COMPREPLY[0]}=") && compopt -o nospace 2>/dev/null
	fi
	[[ $COMP_WORDBREAKS != *=* && ${#COMPREPLY[@]} -gt 0 ]] && COMPREPLY=("${COMPREPLY[@]/#/$head}")
	_relink_trim "$cur"
}

# What readline takes for an earlier word must not be said again.
_relink_trim() {
	local cur=${1##*=} prefix
	[[ $COMP_WORDBREAKS == *:* && $cur == *:* ]] || return 0
	prefix=${cur%:*}:
	[[ ${#COMPREPLY[@]} -gt 0 ]] && COMPREPLY=("${COMPREPLY[@]#"$prefix"}")
	return 0
}

_relink_words() {
	local word
	COMPREPLY=()
	while IFS= read -r word; do
		[[ -n $word && $word == "$2"* ]] && COMPREPLY+=("$word")
	done <<<"$1"
	return 0
}

_relink_files() {
	local word
	compopt -o filenames 2>/dev/null
	COMPREPLY=()
	while IFS= read -r word; do
		COMPREPLY+=("$word")
	done < <(compgen -f -- "$1")
}

_relink_files_and_pids() {
	_relink_files "$1"
	[[ $1 =~ ^[0-9]*$ ]] || return 0
	COMPREPLY+=($(compgen -W "$(_relink_pids)" -- "$1"))
}

_relink_kinds="key call option ops immediate sequence pointer branch use tail jcc trampoline lock alternative pointer-call pointer-tail
pointer-register pointer-got pointer-address"

# The value of the option before; false: it takes none.
_relink_value() {
	local option=$1 cur=$2 target=$3
	case $option in
	--color | --colour) _relink_words "$(printf '%s\n' auto always never)" "$cur" ;;
	-k | --kind) _relink_words "$(printf '%s\n' $_relink_kinds)" "$cur" ;;
	-c | --choice)
		COMPREPLY=()
		[[ -n $target ]] && _relink_words "$(_relink_names_of "$target")" "$cur"
		_relink_trim "$cur"
		;;
	-w | --with | -o | --output | --suppress | --report) _relink_files "$cur" ;;
	--policy) _relink_words "$(printf '%s\n' hot all learn cached)" "$cur" ;;
	-f | --function | -u | --uses | -n | --context | --init-sections | --only | --not | --budget) COMPREPLY=() ;;
	*) return 1 ;;
	esac
}

_relink() {
	local _relink_program=${COMP_WORDS[0]} line=${COMP_LINE:0:COMP_POINT} cur command="" target="" previous i word
	local -a words
	COMPREPLY=()
	[[ $_relink_program == "~/"* ]] && _relink_program=$HOME/${_relink_program#"~/"}
	# Words as the program will get them, but for quotes: readline splits at `=` and `:`.
	read -r -a words <<<"$line"
	cur=""
	[[ $line =~ [^[:space:]]$ ]] && cur=${words[${#words[@]} - 1]} && unset "words[${#words[@]}-1]"
	[[ ${#words[@]} -eq 0 ]] && return 0
	previous=${words[${#words[@]} - 1]}
	for ((i = 1; i < ${#words[@]}; i++)); do
		case ${words[i]} in
		-[ckfunwo] | --choice | --kind | --function | --uses | --context | --with | --output | --colo*r | --suppress | --init-sections | \
			--only | --not | --budget | --policy)
			((i++)) || : ;;
		-*) ;;
		*)
			if [[ -z $command ]]; then
				command=${words[i]}
			elif [[ -z $target ]]; then
				target=${words[i]}
			fi
			;;
		esac
	done
	[[ $target == "~/"* ]] && target=$HOME/${target#"~/"}
	if [[ -z $command ]]; then
		words=($(_relink_commands))
		[[ ${#words[@]} -gt 0 ]] && _relink_words "$(printf '%s\n' "${words[@]}" help --help --version)" "$cur"
		return 0
	fi
	# Behind a program that is run all words are its own.
	[[ $command == run && -n $target ]] && { _relink_files "$cur"; return 0; }
	[[ ${#words[@]} -gt 2 && $previous != --report ]] && _relink_value "$previous" "$cur" "$target" && return 0
	if [[ $cur == --*=* ]]; then
		_relink_value "${cur%%=*}" "${cur#*=}" "$target"
		[[ $COMP_WORDBREAKS != *=* && ${#COMPREPLY[@]} -gt 0 ]] && COMPREPLY=("${COMPREPLY[@]/#/${cur%%=*}=}")
		return 0
	fi
	if [[ $cur == -* ]]; then
		_relink_words "$(_relink_options "$command" | sort -u)" "$cur"
		return 0
	fi
	case $command in
	help) [[ -z $target ]] && _relink_words "$(_relink_commands)" "$cur" ;;
	ps) ;;
	show)
		if [[ -z $target ]]; then
			_relink_files_and_pids "$cur"
		else
			_relink_words "$(_relink_names_of "$target")" "$cur"
			_relink_trim "$cur"
		fi
		;;
	bake) if [[ -z $target ]]; then _relink_files "$cur"; else _relink_settings "$target" "$cur"; fi ;;
	set) if [[ -z $target ]]; then _relink_words "$(_relink_pids)" "$cur"; else _relink_settings "$target" "$cur"; fi ;;
	run)
		COMPREPLY=()
		while IFS= read -r word; do
			COMPREPLY+=("$word")
		done < <(compgen -c -- "$cur" | sort -u)
		;;
	watch | status | linkage) [[ -z $target ]] && _relink_words "$(_relink_pids)" "$cur" ;;
	list) _relink_files_and_pids "$cur" ;;
	*) _relink_files "$cur" ;;
	esac
	return 0
}

complete -F _relink relink
