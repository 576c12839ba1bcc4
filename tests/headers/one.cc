// SPDX-License-Identifier: MIT
#include "shapes.hh"

namespace app {
RELINK_KEY_FALSE(verbose, "in a namespace");
namespace inner {
RELINK_KEY_TRUE(verbose, "in a namespace in a namespace");
}
struct relink_key_false shape::traced = RELINK_KEY_INIT_FALSE;
struct relink_key_true shape::counted;
RELINK_NAME_KEY(shape_traced, shape::traced, "shape.traced", "a static member");
}
RELINK_NAME_KEY(shape_counted, app::shape::counted, "shape.counted", "a static member");
RELINK_NAME_KEY(holder_int, app::holder<int>::flag, "holder.int", "a static member of a template");
RELINK_NAME_KEY(holder_long, app::holder<long>::flag, "holder.long", "a static member of a template");

extern "C" unsigned cc_one(void)
{
	return everything() | app::all_shapes() << 15;
}
