/* SPDX-License-Identifier: MIT */
/* ranges.c - which addresses are inside of code that changes, or that is to be left. */
#include "core/range.h"

#include "platform_test.h"

static const struct rl_range list[] = {
	{ 1000, 1005, RL_RANGE_ONE, false },
	{ 2000, 2012, RL_RANGE_SEVERAL, false },
	{ 3000, 3100, RL_RANGE_FUNCTION, false },
	{ 2006, 2020, RL_RANGE_SEVERAL, false }, /* overlaps, and comes late */
	{ 2900, 2910, RL_RANGE_FUNCTION, true },
};

static bool pc(struct rl_ranges *r, uintptr_t address)
{
	return rl_ranges_find(r, address, true) != NULL;
}

static bool returns(struct rl_ranges *r, uintptr_t address)
{
	return rl_ranges_find(r, address, false) != NULL;
}

static void check_one(struct rl_ranges *r)
{
	CHECK(!pc(r, 999) && !pc(r, 1000) && pc(r, 1001) && pc(r, 1004) && !pc(r, 1005));
	for (uintptr_t a = 995; a < 1010; a++)
		CHECK(!returns(r, a));
}

static void check_several(struct rl_ranges *r)
{
	CHECK(!pc(r, 2000) && pc(r, 2001) && pc(r, 2011) && pc(r, 2012) && pc(r, 2019) && !pc(r, 2020));
	CHECK(!returns(r, 2000) && returns(r, 2001) && returns(r, 2012) && returns(r, 2019) && !returns(r, 2020));
}

static void check_function(struct rl_ranges *r)
{
	CHECK(!returns(r, 2899) && returns(r, 2900) && returns(r, 2909) && !returns(r, 2910));
	CHECK(!pc(r, 2999) && pc(r, 3000) && pc(r, 3099) && !pc(r, 3100));
	CHECK(!returns(r, 2999) && !returns(r, 3000) && returns(r, 3001) && returns(r, 3099) && !returns(r, 3100));
}

static void check_sorted(void)
{
	struct rl_range many[101];
	struct rl_ranges all = { .list = many, .count = 101 };

	for (uintptr_t i = 0; i < 101; i++)
		many[i] = (struct rl_range){ 1000 + 20 * i, 1010 + 20 * i + (i == 50 ? 10 : 0), RL_RANGE_SEVERAL, false };
	rl_ranges_summarise(&all);
	CHECK(all.sorted);
	for (uintptr_t a = 990; a < 3030; a++) {
		uintptr_t i = a < 1000 ? 101 : (a - 1000) / 20, start = 1000 + 20 * i;
		bool inside = i < 101 && a > start && a < start + (i == 50 ? 20 : 10);

		CHECK(pc(&all, a) == inside && returns(&all, a) == inside);
		CHECK(!inside || rl_ranges_find(&all, a, true) == &many[i]);
	}
}

int main(void)
{
	struct rl_ranges r = { .list = list, .count = sizeof(list) / sizeof(*list) }, none = { 0 };

	start_tally();
	rl_ranges_summarise(&r);
	rl_ranges_summarise(&none);
	CHECK(r.low == 1000 && r.high == 3100 && r.frames && r.functions);
	CHECK(!none.frames && !none.functions && !pc(&none, 0) && !returns(&none, UINTPTR_MAX));
	check_one(&r);
	check_several(&r);
	check_function(&r);
	CHECK(!r.sorted);
	check_sorted();
	r.count = 1;
	rl_ranges_summarise(&r);
	CHECK(!r.frames && !r.functions && !pc(&r, 2005));
	return report();
}
