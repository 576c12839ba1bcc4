// SPDX-License-Identifier: MIT
// expect: relink: an option has two to sixteen states
#include "case.h"

MISUSE(RELINK_OPTION(many, "too many", a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q),
       RELINK_OPTION(many, "just enough", a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p));
