// SPDX-License-Identifier: MIT
// expect: relink: this function does not have the prototype of the static call
#include "case.h"

void f(struct relink_commit *c) { relink_set_call(c, hash, MISUSE(hash_wrong, hash_good)); }
