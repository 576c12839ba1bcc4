// SPDX-License-Identifier: MIT
// expect: relink_state_idle_nosuch
#include "case.h"

void f(struct relink_commit *c) { MISUSE(relink_set_option(c, idle, nosuch), relink_set_option(c, idle, poll)); }
