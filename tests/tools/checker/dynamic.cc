// SPDX-License-Identifier: MIT
// dynamic.cc - initialisers that run at start-up are start-up code, in every way that compilers call them; the rest is as in C.
#include <relink/relink.h>

#define CASE __attribute__((noinline, used))
#define HIDDEN __attribute__((visibility("hidden")))

typedef int fn(int);
CASE static int one(int x) { return x; }
CASE static fn *decide() { return one; }

RELINK_POINTER HIDDEN fn *handler = decide();
struct methods { fn *first, *second; };
RELINK_POINTER HIDDEN methods table = { decide(), decide() };
template <class T> struct holder { HIDDEN static fn *call(T x) { handler = x ? one : nullptr; return handler; } }; // expect: 401
template struct holder<int>;

inline __attribute__((noinline)) void inlined(fn *f)
{
	table.second = f; // expect: 401
}

CASE int right(int x)
{
	auto local = [](int y) { return handler(y); };

	return local(x) + table.first(x) + relink_pointer_set(handler, one, nullptr);
}

CASE void wrong(fn *f)
{
	auto local = [f] { table.first = f; }; // expect: 401

	inlined(f);
	local();
}
