// SPDX-License-Identifier: MIT
// expect: relink_state_idle_nosuch
#include "case.h"

MISUSE(RELINK_DRIVE(idle, nosuch, trace, "on"), RELINK_DRIVE(idle, poll, trace, "on"));
