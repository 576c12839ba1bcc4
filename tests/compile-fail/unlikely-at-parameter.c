// SPDX-License-Identifier: MIT
// only: native
// expect-c: constant
// expect-c++: ptr
#include "case.h"

int f(struct relink_key_false *ptr) { (void)ptr; if (relink_unlikely_at(MISUSE(ptr, &trace))) return 1; return 0; }
