// SPDX-License-Identifier: MIT
// expect: halt
#include "case.h"

MISUSE(RELINK_OPTION(sleepy, halt, poll, spin), RELINK_OPTION(sleepy, "what a worker does", halt, poll, spin));
