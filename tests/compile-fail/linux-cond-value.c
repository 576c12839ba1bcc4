// SPDX-License-Identifier: MIT
// expect: void
// only: c
#include "case.h"
#include <relink/linux.h>

DECLARE_STATIC_CALL(name, hash_good);

int f(void) { return MISUSE(static_call_cond(name)(1), static_call(name)(1)); }
