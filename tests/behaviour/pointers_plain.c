// SPDX-License-Identifier: MIT
/* test: VARIANTS "-O2" "-O0" "-O2 -fPIC" */
/* Accelerated pointers as every build has them, whatever happens to their calls: assigned, taken over, set, cleared, in transactions. */
#include "check.h"

static int one(int x)
{
	return x + 1;
}

static int two(int x)
{
	return x + 2;
}

struct codec {
	int (*decode)(int), (*encode)(int);
};

RELINK_POINTER static int (*handler)(int) = one;
RELINK_POINTER_INFO(handler, "one pointer");
RELINK_POINTER static struct codec codec;
RELINK_POINTER_INFO(codec, "a table");
RELINK_POINTER static int (*table[3])(int);
RELINK_POINTER_INFO(table, "an array");
RELINK_KEY_FALSE(unrelated, "its commit is the first");

static unsigned names;

static int count_names(const struct relink_choice_info *info, void *unused)
{
	static const char *const all[] = { "handler", "codec+0", "codec+8", "table[0]", "table[1]", "table[2]" };

	(void)unused;
	for (unsigned i = 0; i < COUNT(all); i++)
		names += info->kind == RELINK_PTR && !strcmp(info->name, all[i]) && *info->doc;
	return 0;
}

int main(void)
{
	struct relink_commit c = RELINK_COMMIT;
	struct relink_error err;

	handler = two;
	codec.decode = one;
	codec.encode = two;
	CHECK_CODE(relink_key_enable(unrelated, &err), 0, &err);
	CHECK(handler(0) == 2 && codec.decode(0) == 1 && codec.encode(0) == 2);
	CHECK_CODE(relink_pointer_set(handler, one, &err), 0, &err);
	CHECK(handler(0) == 1 && handler == one);
	CHECK_CODE(relink_pointer_set(table[2], two, &err), 0, &err);
	CHECK(table[2](0) == 2 && !table[1]);
	relink_set_pointer(&c, codec.decode, two);
	relink_set_pointer(&c, codec.encode, one);
	relink_set_key(&c, unrelated, false);
	CHECK_CODE(relink_commit(&c, RELINK_LIVE, &err), 0, &err);
	CHECK(codec.decode(0) == 2 && codec.encode(0) == 1 && !relink_key_enabled(unrelated));
	CHECK_CODE(relink_pointer_clear(codec.decode, &err), 0, &err);
	CHECK_CODE(relink_pointer_clear(handler, &err), 0, &err);
	CHECK(codec.decode(0) == 1 && handler(0) == 2);
	CHECK_CODE(relink_pointer_set(codec.decode, NULL, &err), 0, &err);
	CHECK(!codec.decode);
	CHECK(!relink_each_choice(count_names, NULL) && names == 6);
	CHECK_CODE(relink_quiesce(1000, &err), 0, &err);
	check_print_status();
	return check_done();
}
