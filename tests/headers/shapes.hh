// SPDX-License-Identifier: MIT
// Places that only C++ has.
#ifndef SHAPES_HH
#define SHAPES_HH

#include "places.h"

namespace app {
RELINK_DECLARE_KEY(verbose);
namespace inner {
RELINK_DECLARE_KEY_TRUE(verbose);
}

struct shape {
	static struct relink_key_false traced;
	static struct relink_key_true counted;
	unsigned member() const { return relink_unlikely(traced) ? 1 : 0; }
	virtual unsigned overridden() const { return relink_likely(counted) ? 0 : 2; }
	virtual ~shape() { }
};

inline unsigned in_inline()
{
	return (relink_unlikely(verbose) ? 1 : 0) | (relink_likely(inner::verbose) ? 0 : 2);
}

template <class T> T in_template(T bit)
{
	if (relink_unlikely(verbose))
		return bit;
	return T();
}

template <class T> struct holder {
	static struct relink_key_false flag;
	static unsigned look() { return relink_unlikely(flag) ? 1 : 0; }
	template <class U> unsigned look_again(U bit) { return relink_likely(holder<T>::flag) ? bit : 0; }
};
template <class T> struct relink_key_false holder<T>::flag = RELINK_KEY_INIT_FALSE;

inline unsigned in_lambdas()
{
	auto plain = [] { return relink_unlikely(verbose) ? 1u : 0u; };
	auto generic = [](auto bit) { return relink_unlikely(verbose) ? bit : 0u; };
	return plain() | generic(2u);
}

inline unsigned in_exceptions()
{
	try {
		if (relink_unlikely(verbose))
			throw 1u;
	} catch (unsigned bit) {
		return bit;
	}
	return 0;
}

template <class T> T number_in_template()
{
	return T(relink_immediate(batch) + T(relink_immediate(batch)));
}

inline unsigned in_numbers_of_lambdas()
{
	auto plain = [] { return relink_immediate(colour) == blue ? 0u : 1u; };
	auto generic = [](auto bit) { return relink_immediate(batch) == 9 ? 0u : bit; };
	return plain() | generic(2u) | (number_in_template<long>() == 18 ? 0u : 4u) | (number_in_template<int>() == 18 ? 0u : 8u);
}

inline unsigned all_shapes()
{
	shape s;
	const unsigned seen = in_inline() << 0 | s.member() << 2 | (static_cast<const shape &>(s).overridden() >> 1) << 3 |
		in_template(1u) << 4 | unsigned(in_template<short>(1)) << 5 | holder<int>::look() << 6 |
		holder<int>().look_again(1u) << 7 | holder<long>::look() << 8 | in_lambdas() << 9 | in_exceptions() << 11 |
		in_numbers_of_lambdas() << 12;
	return seen == 0xffff ? 1 : seen == 0 ? 0 : 1u << 31;
}
}

#endif
