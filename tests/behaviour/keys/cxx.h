/* SPDX-License-Identifier: MIT */
/* cxx.h - keys as C++ has them: in namespaces, classes, templates; used by inline functions and templates in two files. */
#ifndef TEST_KEYS_CXX_H
#define TEST_KEYS_CXX_H

#include <relink/relink.h>

namespace outer {
namespace inner {
RELINK_DECLARE_KEY(spaced_false);
RELINK_DECLARE_KEY_TRUE(spaced_true);
}
}

struct Holder {
	static struct relink_key_false member_false;
	static struct relink_key_true member_true;
	bool method() const { return relink_unlikely(member_false); }
	static bool static_method()
	{
		if (relink_likely(member_true))
			return true;
		return false;
	}
};

/* A key per type, and one that is inline. (clang 14 does not take a key that is inline and a class template's member.) */
template <class T> struct PerType {
	static struct relink_key_false key;
	bool enabled() const
	{
		if (relink_unlikely(key))
			return true;
		return false;
	}
};
template <class T> struct relink_key_false PerType<T>::key = RELINK_KEY_INIT_FALSE;
inline struct relink_key_true inline_key = RELINK_KEY_INIT_TRUE;
RELINK_NAME_KEY(inline_key, inline_key, "inline_key", "an inline variable");

inline bool in_inline_function()
{
	if (relink_unlikely(outer::inner::spaced_false))
		return true;
	return false;
}

template <int n> bool in_template()
{
	int sum = 0;

	for (int i = 0; i < n; i++)
		if (relink_likely(outer::inner::spaced_true))
			sum++;
	return sum == n;
}

/* The key is a template's argument. */
template <struct relink_key_false *key> bool by_argument()
{
	return relink_unlikely(*key) ? true : false;
}

struct cxx_row {
	const char *what;
	struct relink_key *key;
	bool initial;
	bool (*branch)();
};

struct cxx_rows {
	const struct cxx_row *row;
	size_t count;
};
extern const struct cxx_rows cxx_main_rows, cxx_other_rows, cxx_shared_rows;

/* Every file has these. */
#define CXX_ROWS(place) \
	static const struct cxx_row place##_table[] = { \
		{ "inline function in " #place, &outer::inner::spaced_false.key, false, in_inline_function }, \
		{ "template in " #place, &outer::inner::spaced_true.key, true, in_template<3> }, \
		{ "another instance in " #place, &outer::inner::spaced_true.key, true, in_template<5> }, \
		{ "template argument in " #place, &outer::inner::spaced_false.key, false, by_argument<&outer::inner::spaced_false> }, \
		{ "method in " #place, &Holder::member_false.key, false, [] { return Holder().method(); } }, \
		{ "static method in " #place, &Holder::member_true.key, true, Holder::static_method }, \
		{ "key of int in " #place, &PerType<int>::key.key, false, [] { return PerType<int>().enabled(); } }, \
		{ "key of char in " #place, &PerType<char>::key.key, false, [] { return PerType<char>().enabled(); } }, \
		{ "lambda in " #place, &outer::inner::spaced_true.key, true, [] { return !relink_unlikely(outer::inner::spaced_true) ? false : true; } }, \
		{ "inline variable in " #place, &inline_key.key, true, [] { return relink_likely(inline_key) ? true : false; } }, \
	}; \
	extern const struct cxx_rows cxx_##place##_rows; \
	const struct cxx_rows cxx_##place##_rows = { place##_table, sizeof(place##_table) / sizeof(*place##_table) }

#endif
