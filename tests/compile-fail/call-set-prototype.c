// SPDX-License-Identifier: MIT
// expect: relink: this function does not have the prototype of the static call
#include "case.h"

int f(void) { return relink_call_set(hash, MISUSE(hash_wrong, hash_good), NULL); }
