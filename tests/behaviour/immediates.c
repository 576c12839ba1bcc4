/* test: VARIANTS "-O0" "-O2" "-O2 -fPIC" */
/* SPDX-License-Identifier: MIT */
/* immediates.c - numbers in the instruction stream, of every width, read in loops and changed by every way. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

RELINK_DECLARE_IMMEDIATE(uint32_t, batch, 64);
RELINK_IMMEDIATE(uint32_t, batch, 64, "packets at once");
RELINK_IMMEDIATE(uint8_t, tiny, 0, "a byte");
RELINK_IMMEDIATE(int8_t, tiny_signed, -1, "a signed byte");
RELINK_IMMEDIATE(int16_t, small, -300, "two bytes");
RELINK_IMMEDIATE(int32_t, middle, -70000, "four signed bytes");
RELINK_IMMEDIATE(uint64_t, large, 0xfedcba9876543210u, "eight bytes");
RELINK_IMMEDIATE(int64_t, large_signed, -5, "eight signed bytes");
RELINK_IMMEDIATE(int, decided, 3, "decided at start", RELINK_FINAL);

static struct relink_error err;

#define READ(type, name) static __attribute__((noinline)) type read_##name(void) { return relink_immediate(name); }
READ(uint32_t, batch)
READ(uint8_t, tiny)
READ(int8_t, tiny_signed)
READ(int16_t, small)
READ(int32_t, middle)
READ(uint64_t, large)
READ(int64_t, large_signed)

#define BOTH(name, want) \
	CHECKF(read_##name() == (want) && relink_immediate_value(name) == (want), "%s is %lld and %lld, not %lld", #name, \
	       (long long)read_##name(), (long long)relink_immediate_value(name), (long long)(want))
#define SET(name, value) \
	do { \
		CHECK_CODE(relink_immediate_set(name, value, &err), RELINK_OK, &err); \
		BOTH(name, value); \
	} while (0)

static void test_values(void)
{
	BOTH(batch, 64u);
	BOTH(tiny, 0);
	BOTH(tiny_signed, -1);
	BOTH(small, -300);
	BOTH(middle, -70000);
	BOTH(large, 0xfedcba9876543210u);
	BOTH(large_signed, -5);
	SET(batch, UINT32_MAX);
	SET(batch, 0u);
	SET(tiny, 255);
	SET(tiny_signed, -128);
	SET(tiny_signed, 127);
	SET(small, INT16_MIN);
	SET(middle, INT32_MIN);
	SET(middle, INT32_MAX);
	SET(large, 0u);
	SET(large, UINT64_MAX);
	SET(large_signed, INT64_MIN);
	SET(large_signed, 1);
}

static int set_by_name(const char *name, const char *value)
{
	struct relink_commit c = RELINK_COMMIT;

	relink_set(&c, name, value);
	return relink_commit(&c, RELINK_LIVE, &err);
}

static const struct { const char *name, *text; bool good; int64_t value; } names[] = {
	{ "batch", "17", true, 17 }, { "batch", "0x11", true, 17 }, { "batch", "0XfF", true, 255 }, { "batch", "4294967295", true, UINT32_MAX },
	{ "batch", "4294967296", false, 0 }, { "batch", "-1", false, 0 }, { "batch", "", false, 0 }, { "batch", "x", false, 0 },
	{ "batch", "0x", false, 0 }, { "batch", "12z", false, 0 }, { "batch", "99999999999999999999999", false, 0 },
	{ "tiny_signed", "-128", true, -128 }, { "tiny_signed", "-129", false, 0 }, { "tiny_signed", "128", false, 0 },
	{ "tiny_signed", "127", true, 127 }, { "tiny_signed", "-0x10", true, -16 }, { "tiny_signed", "-", false, 0 },
	{ "large_signed", "-9223372036854775808", true, INT64_MIN }, { "large_signed", "9223372036854775808", false, 0 },
};

static void test_names(void)
{
	for (size_t i = 0; i < COUNT(names); i++) {
		int r = set_by_name(names[i].name, names[i].text);

		CHECKF(r == (names[i].good ? RELINK_OK : RELINK_E_STATE), "%s=%s: %d, %s", names[i].name, names[i].text, r, err.text);
		CHECK(names[i].good || strstr(err.text, "signed number of"));
		if (!names[i].good)
			continue;
		if (!strcmp(names[i].name, "batch"))
			BOTH(batch, names[i].value);
		else if (!strcmp(names[i].name, "tiny_signed"))
			BOTH(tiny_signed, names[i].value);
		else
			BOTH(large_signed, names[i].value);
	}
}

static int show(const struct relink_choice_info *info, void *ctx)
{
	if (!strcmp(info->name, "batch")) {
		CHECK(info->kind == RELINK_IMM && info->count == 0);
		*(char **)ctx = strdup(info->state);
	}
	return 0;
}

static void test_precedence(void)
{
	struct relink_commit c = RELINK_COMMIT;
	char *state = NULL;

	relink_force(&c, "batch", "7");
	relink_set_immediate(&c, batch, 9);
	relink_set_immediate(&c, small, 11);
	CHECK_CODE(relink_commit(&c, RELINK_LIVE, &err), RELINK_OVERRIDDEN, &err);
	BOTH(batch, 7u);
	BOTH(small, 11);
	CHECK_CODE(relink_immediate_set(batch, 10, &err), RELINK_OVERRIDDEN, &err);
	relink_release(&c, "batch");
	CHECK_CODE(relink_commit(&c, RELINK_LIVE, &err), RELINK_OK, &err);
	BOTH(batch, 10u);
	CHECK_CODE(relink_apply("batch=5", &err), RELINK_OVERRIDDEN, &err);
	CHECK_CODE(relink_immediate_clear(batch, &err), RELINK_OK, &err);
	BOTH(batch, 5u);
	CHECK(relink_each_choice(show, &state) == 0);
	CHECKF(state && !strcmp(state, "5"), "it is shown as %s", state ? state : "nothing");
	free(state);
}

/* States are made as they are asked for: that must not grow for ever. */
static void test_many(void)
{
	for (uint32_t i = 0; i < 20000; i++)
		if (relink_immediate_set(batch, i * 2654435761u, &err) != RELINK_OK || read_batch() != i * 2654435761u)
			CHECKF(false, "number %u: %s", i, err.text);
	SET(batch, 1u);
}

static void test_final(void)
{
	CHECK(relink_immediate(decided) == 3);
	CHECK_CODE(relink_apply("", &err), RELINK_OK, &err);
}

int main(int argc, char **argv)
{
	CHECK_CODE(relink_init(&argc, argv, &err), RELINK_OK, &err);
	test_values();
	test_names();
	test_precedence();
	test_many();
	test_final();
	CHECK_CODE(relink_immediate_set(decided, 4, &err), RELINK_E_FINAL, &err);
	CHECK(relink_immediate(decided) == 3);
	return check_done();
}
