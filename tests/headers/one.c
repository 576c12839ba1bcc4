/* SPDX-License-Identifier: MIT */
#include "places.h"

RELINK_KEY_FALSE(off, "false until somebody sets it");
RELINK_KEY_TRUE(on, "true until somebody clears it");
RELINK_KEY_ARRAY_FALSE(many, 4, "an array");
RELINK_KEY_FALSE(key, "named as something inside the macros");
RELINK_KEY_FALSE(value, "named as something inside the macros");
struct device device = { 1, RELINK_KEY_INIT_FALSE, RELINK_KEY_INIT_TRUE };
RELINK_NAME_KEY(device_debug, device.debug, "device.debug", "a key in a struct");
RELINK_NAME_KEY(device_fast, device.fast, "device.fast", "a key in a struct");
RELINK_OPTION(idle, "an option", halt, poll, sleep);

int twice_add(int x)
{
	return x + x;
}

int twice_odd(int x)
{
	return x + x + 1;
}

static void set(int *p)
{
	*p = 1;
}

RELINK_DEFINE_CALL(twice, twice_add, "doubles");
RELINK_VARIANT(twice, twice_odd, .rank = -1);
RELINK_DEFINE_CALL_NULL(hook, "may set a flag");
RELINK_VARIANT(hook, set, .rank = -1);
RELINK_DEFINE_CALL_NULL(nothing, "named as something of the library's");

static void even_ring(int *p)
{
	*p = 4;
}

static void odd_ring(int *p)
{
	*p = 5;
}

static struct rooms even_count(struct rooms r)
{
	return r;
}

static struct rooms odd_count(struct rooms r)
{
	r.last++;
	return r;
}

RELINK_OP_CONST(house, same, never_same, -1);
RELINK_OP_CONST(house, two, just_two, 2);
static const struct house_ops even_house = { even_ring, RELINK_OP_NOP(house, lock), never_same, even_count, 0 };
const struct house_ops odd_house = { odd_ring, 0, RELINK_OP_IDENTITY(house, same), odd_count, just_two };
RELINK_DEFINE_OPS(house, HOUSE_OPS, even_house, "a table");
static const struct identity_ops no_identity = { RELINK_OP_NOP(identity, nothing) };
RELINK_DEFINE_OPS(identity, IDENTITY_OPS, no_identity, "named as something of the library's");

RELINK_IMMEDIATE(uint8_t, batch, 9, "a number");
RELINK_IMMEDIATE(int64_t, relink_v, -123456789012, "named as something inside the macros");
RELINK_IMMEDIATE(enum colour, colour, blue, "an enumeration");
RELINK_FUNCTION(varied, (int x, const char *text), (x, text), "a function",
		(RELINK_READS_KEY(off, is_off), RELINK_READS_OPTION(idle, how), RELINK_READS_NUMBER(batch, size)),
		RELINK_FOR(RELINK_IS_OFF(off), RELINK_IS(idle, halt)),
		RELINK_FOR(RELINK_IS_ON(off), RELINK_IS(idle, poll), RELINK_IS_NUMBER(batch, 250)))
{
	while (*text++)
		x++;
	return is_off ? x + how + size : x;
}

unsigned c_one(void)
{
	return everything();
}
