// SPDX-License-Identifier: MIT
// expect: relink: this function does not have the type of the pointer
#include "case.h"

RELINK_POINTER int (*handler)(int x) = hash_good;
int f(void) { return relink_pointer_set(handler, MISUSE(hash_wrong, hash_good), NULL); }
