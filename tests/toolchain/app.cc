// SPDX-License-Identifier: MIT
#include "matrix.h"

namespace {
RELINK_STATIC_KEY_FALSE(cc_key, "a key of a C++ file");
RELINK_CHOOSE(cc_key, [](const struct relink_facts *) -> const char * { return nullptr; });
}
RELINK_DRIVE(app_option, second, cc_key, "on");

struct shape {
	static struct relink_key_false traced;
	unsigned member() const { return relink_unlikely(traced) ? 1 : 0; }
};
struct relink_key_false shape::traced = RELINK_KEY_INIT_FALSE;
RELINK_NAME_KEY(shape_traced, shape::traced, "shape.traced", "a static member");
RELINK_DRIVE(app_option, second, shape.traced, "on");

template <class T> static T in_template(T bit)
{
	return relink_likely(app_key) ? T() : bit;
}

inline unsigned in_inline(int x)
{
	return relink_unlikely(cc_key) && app_call(x) != 2 * x ? 1 : 0;
}

extern "C" unsigned look_cc(void)
{
	return look_header() | in_template(1u) << 6 | unsigned(in_template<unsigned char>(1)) << 7 | in_inline(5) << 8 |
	       shape().member() << 9;
}
