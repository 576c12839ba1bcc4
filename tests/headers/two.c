/* SPDX-License-Identifier: MIT */
#include "places.h"

/* Two on one line, and one that nobody but this file sees. */
/* clang-format off */
RELINK_STATIC_KEY_FALSE(mine, "static"); RELINK_STATIC_KEY_TRUE(mine_too, "static");
/* clang-format on */

unsigned c_two(void)
{
	if (relink_unlikely(mine) || !relink_likely(mine_too))
		return 1u << 31;
	return everything();
}
