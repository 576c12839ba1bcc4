#!/bin/bash
# SPDX-License-Identifier: MIT
# What the showcase takes for relink here: `run OPTIONS -- PROG ARGS` runs PROG. STANDIN says what is wrong with it.
options=" "
while [ "$1" != -- ]; do
	options+="$1 "
	case $1 in
	--report=*) echo '{"modules": [{"bound": 3}, {"bound": 4}]}' >"${1#*=}" ;;
	esac
	shift
done
shift
case $(cat "$(dirname "$0")/wrong") in
silent) [[ $options != *" --report="* ]] || echo text >"$(sed 's/.*--report=\([^ ]*\).*/\1/' <<<"$options")" ;;
slow) for ((i = 0; i < 30000; i++)); do :; done ;;
says) [[ $options != *" all "* ]] || echo "relink: hello" ;;
fails) [[ $options != *" --control "* ]] || exit 3 ;;
changes) # only now and then, as a race would
	if [ -e "$XDG_CACHE_HOME/seen" ]; then
		"$@" | sed 's/town/down/'
		exit
	fi
	[[ $options != *" --report="* ]] || touch "$XDG_CACHE_HOME/seen" ;;
esac
exec "$@"
