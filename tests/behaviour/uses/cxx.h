/* SPDX-License-Identifier: MIT */
/* cxx.h - uses in inline functions, templates and classes, seen by several files and a shared object. */
#ifndef USES_CXX_H
#define USES_CXX_H

#include "behaviour/uses/rows.h"

extern struct relink_key_false cxx_debug;
extern struct relink_key_true cxx_checks;
namespace space {
RELINK_DECLARE_KEY(spaced_debug);
}
struct Class {
	static struct relink_key_false debug;
	static bool in_class() { return relink_here(debug, "inline in a class"); }
	bool seen = false;
	Class() { if (relink_here(debug, "constructor")) seen = true; }
	template <class T> static bool member_template(T) { return relink_here(cxx_debug, "member template"); }
};

inline bool in_inline() { return relink_here(cxx_debug, "inline"); }
inline bool in_inline_likely() { return !relink_here_likely(cxx_checks, "likely, inline"); }
inline bool in_spaced() { return relink_here(space::spaced_debug, "in a namespace"); }
template <class T, int n> bool in_template(T x) { return relink_here(cxx_debug, "template") ? n + static_cast<int>(x) > 0 : false; }
inline bool in_lambda()
{
	auto lambda = [](int x) { return relink_here(cxx_debug, "lambda") ? x : 0; };

	return lambda(1);
}
inline bool in_constructor() { return Class().seen; }

/* Every place, once per file: the functions are inline, so that several files have copies of them. */
#define CXX_PLACES(file) \
	unsigned file() \
	{ \
		return (in_inline() ? 1u : 0u) | (in_inline_likely() ? 2u : 0u) | (in_spaced() ? 4u : 0u) | (in_template<int, 1>(1) ? 8u : 0u) | \
		       (in_template<double, 2>(1.5) ? 16u : 0u) | (in_lambda() ? 32u : 0u) | (in_constructor() ? 64u : 0u) | \
		       (Class::in_class() ? 128u : 0u) | (Class::member_template("x") ? 256u : 0u) | (Class::member_template(2L) ? 512u : 0u); \
	}
#define CXX_ALL 1023u

unsigned here_places(), other_places(), plugin_places();

#endif
