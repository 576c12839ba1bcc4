/* test: VARIANTS "-O2 -fno-pie" "-O0 -fno-pie" LINK -no-pie -Wl,--section-start=relink_arms=0x70000000 -Wl,--defsym=far_away=0xc0000000 NOT generic address undefined thread */
/* SPDX-License-Identifier: MIT */
/*
 * alternatives_far.c - arms that lie where their calls, jumps and operands reach something that the place does not reach: the commit
 * is refused, whatever the instruction, and nothing has changed.
 */
#include "check.h"

RELINK_KEY_FALSE(calls, "a call in an arm");
RELINK_KEY_FALSE(jumps, "a jump");
RELINK_KEY_FALSE(branches, "a conditional jump");
RELINK_KEY_FALSE(loads, "an operand");
RELINK_KEY_FALSE(late, "in the last instruction, behind some that could be moved");
RELINK_KEY_FALSE(near, "all is well");

static struct relink_error err;
__attribute__((used)) int near_number = 5;

#define ARM(key, text) \
	static __attribute__((noinline)) int by_##key(void) \
	{ \
		int n; \
		RELINK_ALTERNATIVE("movl $1, %[n]", text, RELINK_WHEN_ON(key), RELINK_OUT([n] "=a"(n)), RELINK_IN(), RELINK_CLOBBERS("cc", "memory")); \
		return n; \
	}
ARM(calls, "call far_away")
ARM(jumps, "jmp far_away")
ARM(branches, "cmpl $2, %[n]; je far_away")
ARM(loads, "movl far_away(%%rip), %[n]")
ARM(late, "movl near_number(%%rip), %[n]; addl $3, %[n]; call far_away")
ARM(near, "movl near_number(%%rip), %[n]; jmp 1f; nop; 1: addl $3, %[n]")

static const struct { const char *name; int (*fn)(void); } arms[] = {
	{ "calls", by_calls }, { "jumps", by_jumps }, { "branches", by_branches }, { "loads", by_loads }, { "late", by_late },
};

int main(void)
{
	struct relink_status status = { .size = sizeof(status) };

	if (relink_get_status(&status) || strncmp(status.mode, "direct", 6))
		check_skip(status.mode);
	CHECKF(!status.pending, "%s", status.notes);
	for (size_t i = 0; i < COUNT(arms); i++) {
		struct relink_commit c = RELINK_COMMIT;

		relink_set_key(&c, near, true);
		relink_set(&c, arms[i].name, "on");
		CHECK_CODE(relink_commit(&c, i & 1 ? RELINK_STOP : RELINK_STARTUP, &err), RELINK_E_BYTES, &err);
		CHECKF(!strcmp(err.choice, arms[i].name) && strstr(err.text, "out of reach") && err.site, "%s", err.text);
		CHECK(arms[i].fn() == 1 && by_near() == 1 && !relink_key_enabled(near));
	}
	CHECK(!relink_key_enabled(calls) && !relink_key_enabled(late));
	CHECK_CODE(relink_key_enable(near, &err), RELINK_OK, &err);
	CHECK(by_near() == 8);
	return check_done();
}
