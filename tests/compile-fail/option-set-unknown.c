// SPDX-License-Identifier: MIT
// expect: relink_state_idle_nosuch
#include "case.h"

int f(void) { return MISUSE(relink_option_set(idle, nosuch, NULL), relink_option_set(idle, poll, NULL)); }
