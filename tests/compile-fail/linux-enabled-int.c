// SPDX-License-Identifier: MIT
// expect: relink: this is not a static key
// only: c
#include "case.h"
#include <relink/linux.h>

static int number;

int f(void) { return number + static_key_enabled(MISUSE(&number, &trace)); }
