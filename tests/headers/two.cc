// SPDX-License-Identifier: MIT
#include "shapes.hh"

namespace {
RELINK_STATIC_KEY_FALSE(mine, "in an unnamed namespace");
RELINK_KEY_TRUE(mine_too, "in an unnamed namespace");
}

extern "C" unsigned cc_two(void)
{
	if (relink_unlikely(mine) || !relink_likely(mine_too))
		return 1u << 31;
	return everything() | app::all_shapes() << 15;
}
