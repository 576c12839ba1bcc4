// SPDX-License-Identifier: MIT
// expect: relink: NULL needs a static call that returns void, and does return
#include "case.h"

void f(struct relink_commit *c) { MISUSE(relink_set_call(c, hash, NULL), relink_set_call(c, tick, NULL)); }
