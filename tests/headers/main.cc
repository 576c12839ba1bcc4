// SPDX-License-Identifier: MIT
// Every place sees the defaults, then the opposite, then the defaults again.
#include <cstdio>
#include "shapes.hh"

static int look(const char *when, bool flipped)
{
	const unsigned c = flipped ? EVERYTHING : 0, cc = flipped ? EVERYTHING | 1 << 15 : 0;
	const unsigned seen[] = { c_one(), c_two(), cc_one(), cc_two() };
	if (seen[0] == c && seen[1] == c && seen[2] == cc && seen[3] == cc)
		return 0;
	std::printf("%s: %x %x %x %x, expected %x %x\n", when, seen[0], seen[1], seen[2], seen[3], c, cc);
	return 1;
}

static int flip(bool flipped)
{
	struct relink_error err;
	struct relink_commit c = RELINK_COMMIT;
	int result;

	relink_set_key(&c, off, flipped);
	relink_set_key(&c, on, !flipped);
	relink_set_key(&c, many[0], flipped);
	relink_set_key(&c, many[3], flipped);
	relink_set_key(&c, device.debug, flipped);
	relink_set_key(&c, device.fast, !flipped);
	relink_set_key(&c, key, flipped);
	relink_set_key(&c, value, flipped);
	relink_set_key(&c, app::verbose, flipped);
	relink_set_key(&c, app::inner::verbose, !flipped);
	relink_set_key(&c, app::shape::traced, flipped);
	relink_set_key(&c, app::shape::counted, !flipped);
	relink_set_key(&c, app::holder<int>::flag, flipped);
	relink_set_key(&c, app::holder<long>::flag, flipped);
	relink_set_immediate(&c, batch, flipped ? 250 : 9);
	relink_set_immediate(&c, relink_v, flipped ? 1 : -123456789012);
	relink_set_immediate(&c, colour, flipped ? red : blue);
	if (flipped) {
		relink_set_option(&c, idle, poll);
		relink_set_call(&c, twice, twice_odd);
		relink_set(&c, "hook", "set");
		relink_set_ops(&c, house, &odd_house);
	} else {
		relink_set_option(&c, idle, halt);
		relink_set_call(&c, twice, twice_add);
		relink_set_call(&c, hook, NULL);
		relink_set(&c, "house", "even");
	}
	result = relink_commit(&c, RELINK_LIVE, &err);
	if (result)
		std::printf("commit: %s\n", relink_error_text(&err));
	return result != 0;
}

int main()
{
	return look("at start", false) || flip(true) || look("flipped", true) || flip(false) || look("flipped back", false);
}
