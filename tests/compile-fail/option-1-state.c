// SPDX-License-Identifier: MIT
// expect: relink: an option has two to sixteen states
#include "case.h"

MISUSE(RELINK_OPTION(few, "too few", a), RELINK_OPTION(few, "just enough", a, b));
