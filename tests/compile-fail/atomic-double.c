// SPDX-License-Identifier: MIT
// expect: relink: atomic operations are on integers of 4 or 8 bytes
#include "case.h"
#include <relink/atomic.h>

static double real;
static long number;
void f(void) { (void)real, (void)number; relink_atomic_add(&MISUSE(real, number), 1); }
