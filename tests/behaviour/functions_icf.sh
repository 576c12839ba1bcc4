#!/bin/bash
# test: TIMEOUT 120 NOT generic address undefined thread
# SPDX-License-Identifier: MIT
# Function variants that became the same code are one for a linker that folds, and the program still runs the right ones. What
# --icf=safe does is up to the compiler: every variant's address is taken, in its record.
set -uo pipefail

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cat >"$tmp/a.c" <<'END'
#include <stdio.h>
#include <string.h>
#include <relink/relink.h>

RELINK_KEY_FALSE(trace, "a key");
RELINK_OPTION(mode, "an option", slow, fast, odd);
RELINK_DECLARE_CALL(int, work, (int x));
/* `trace` matters in one mode alone: of six combinations four bodies are left. */
RELINK_FUNCTION(work, (int x), (x), "a function", (RELINK_READS_KEY(trace, tracing), RELINK_READS_OPTION(mode, how)),
		RELINK_FOR(RELINK_IS_OFF(trace), RELINK_IS(mode, slow)), RELINK_FOR(RELINK_IS_ON(trace), RELINK_IS(mode, slow)),
		RELINK_FOR(RELINK_IS_OFF(trace), RELINK_IS(mode, fast)), RELINK_FOR(RELINK_IS_ON(trace), RELINK_IS(mode, fast)),
		RELINK_FOR(RELINK_IS_OFF(trace), RELINK_IS(mode, odd)), RELINK_FOR(RELINK_IS_ON(trace), RELINK_IS(mode, odd)))
{
	return how == RELINK_STATE(mode, odd) ? x * (tracing ? 3 : 5) : x + how;
}

/* The generic body is the same as a variant. */
RELINK_DECLARE_CALL(int, same, (int x));
RELINK_FUNCTION(same, (int x), (x), "a function", (RELINK_READS_KEY(trace, tracing)), RELINK_FOR(RELINK_IS_ON(trace)))
{
	return tracing ? 77 * x : x * 77;
}

static int show(const struct relink_choice_info *info, void *ctx)
{
	if (!strcmp(info->name, "same"))
		snprintf(ctx, 32, "%s", info->state);
	return 0;
}

int main(void)
{
	relink_fn_work *bodies[8];
	int wrong = 0, different = 0;
	char state[32];

	for (int n = 0; n < 6; n++) {
		struct relink_commit c = RELINK_COMMIT;
		int how = n / 2, tracing = n & 1, known = 0;

		relink_set_key(&c, trace, tracing);
		relink_wish_option(&c, &mode.option, how);
		wrong |= relink_commit(&c, RELINK_LIVE, NULL) != 0;
		wrong |= work(7) != (how == 2 ? (tracing ? 21 : 35) : 7 + how) || same(2) != 154;
		relink_each_choice(show, state);
		wrong |= strcmp(state, tracing ? "trace=on" : "generic") != 0;
		bodies[n] = relink_call_target(work);
		for (int i = 0; i < n; i++)
			known |= bodies[i] == bodies[n];
		different += !known;
	}
	printf("%d bodies%s\n", different, wrong ? ", WRONG" : "");
	return wrong;
}
END
failed=0 passed=0
# one BODIES COMPILER LINKER FLAG
one() {
	local want=$1 cc=$2 linker=$3 flag=$4 out
	if ! command -v "$cc" >/dev/null || ! command -v "$([ "$linker" = mold ] && echo mold || echo "ld.$linker")" >/dev/null; then
		echo "$cc $linker: skipped, not there"
		return
	fi
	if out=$($cc -O2 -I "$RELINK_SOURCE/include" "$tmp/a.c" "$RELINK_STATIC_LIB" -fuse-ld="$linker" -Wl,--emit-relocs $flag -pthread -ldl \
		-o "$tmp/a" 2>&1 && "$tmp/a") && { [ "$want" = any ] || [ "$out" = "$want bodies" ]; }; then
		echo "$cc $linker $flag: ok, $out"
		passed=$((passed + 1))
	else
		echo "$cc $linker $flag: FAIL, $out"
		failed=$((failed + 1))
	fi
}
for cc in gcc clang; do
	one 6 $cc bfd ""
	one 6 $cc lld ""
	one 4 $cc lld -Wl,--icf=all
	one any $cc lld -Wl,--icf=safe
	one 4 $cc mold -Wl,--icf=all
done
echo "$passed passed, $failed failed"
[ $failed -eq 0 ] && [ $passed -gt 0 ]
