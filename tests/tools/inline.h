/* SPDX-License-Identifier: MIT */
/* inline.h - sites in inline functions and templates, which several objects have and the linker keeps once; see object.sh. */
#include <cstdio>

#include "places.h"

RELINK_DECLARE_CALL(int, cxx_call, (int x));
extern int (*cxx_handler)(int x);

inline __attribute__((noinline)) int inline_sites(int x) { return cxx_call(x) + cxx_call(x + 1) + cxx_handler(x); }
template <int n> __attribute__((noinline)) int template_sites(int x) { return cxx_call(x + n) + n; }
inline __attribute__((noinline)) int inline_unused(int x) { return cxx_call(x) * 3; }

int other(int x);
