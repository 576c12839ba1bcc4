// SPDX-License-Identifier: MIT
// only: native
// expect-c: constant
// expect-c++: ptr
#include "case.h"

int f(void) { struct relink_key_false *ptr = &trace; (void)ptr; if (relink_likely_at(MISUSE(ptr, &trace))) return 1; return 0; }
