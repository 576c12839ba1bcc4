// test: FLAGS -fPIC
/* SPDX-License-Identifier: MIT */
/* A plugin whose immediates and alternatives depend on the program's choices, on its own and on features. */
#include <stddef.h>
#include <relink/relink.h>

RELINK_DECLARE_IMMEDIATE(uint16_t, host_number, 300);
RELINK_DECLARE_KEY(host_key);
RELINK_IMMEDIATE(int64_t, guest_number, -7, "of the plugin");
RELINK_KEY_FALSE(guest_key, "of the plugin");
RELINK_IMMEDIATE(int, guest_chosen, 0, "its choice function says otherwise");
static const char *choose(const struct relink_facts *facts)
{
	return facts->cpus ? "5" : NULL;
}
RELINK_CHOOSE(guest_chosen, choose);

/* What the code says, and what the number is. */
void guest_chose(int *seen, int *value);
void guest_chose(int *seen, int *value)
{
	*seen = relink_immediate(guest_chosen);
	*value = relink_immediate_value(guest_chosen);
}

/* 1000000: the plugin's key, 100000: a feature that is there, 10000: the program's key; the numbers. */
long guest_look(void);
long guest_look(void)
{
	long seen;

	RELINK_ALTERNATIVE("xorl %k[seen], %k[seen]", "movl $10000, %k[seen]; nop; nop; nop; nop; nop; nop; nop; nop", RELINK_WHEN_ON(host_key),
			   RELINK_OUT([seen] "=r"(seen)), RELINK_IN(), RELINK_CLOBBERS("cc"));
	RELINK_ALTERNATIVE_2("nop", "addq $100000, %[seen]", RELINK_WHEN_LACKS(never), "addq $1100000, %[seen]", RELINK_WHEN_ON(guest_key),
			     RELINK_OUT([seen] "+r"(seen)), RELINK_IN(), RELINK_CLOBBERS("cc"));
	return seen + relink_immediate(host_number) + relink_immediate(guest_number);
}

int guest_set(int64_t number, int key, struct relink_error *err);
int guest_set(int64_t number, int key, struct relink_error *err)
{
	struct relink_commit c = RELINK_COMMIT;

	relink_set_immediate(&c, guest_number, number);
	relink_set_key(&c, guest_key, key);
	return relink_commit(&c, RELINK_LIVE, err);
}
