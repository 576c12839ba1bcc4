// SPDX-License-Identifier: MIT
// only: native
// expect: constant
#include "case.h"

struct relink_key_false *ptr = &trace;
int f(void) { if (relink_unlikely_at(MISUSE(ptr, &trace))) return 1; return 0; }
