// SPDX-License-Identifier: MIT
// expect: relink: this is not a static key
#include "case.h"

void f(struct relink_commit *c) { relink_set_key(c, MISUSE(idle, trace), 1); }
