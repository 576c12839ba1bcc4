// SPDX-License-Identifier: MIT
// only: native
// expect: hash
#include "case.h"

void f(void) { MISUSE(hash = hash_good, (void)relink_call_set(hash, hash_good, NULL)); }
