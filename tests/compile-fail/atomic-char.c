// SPDX-License-Identifier: MIT
// expect: relink: atomic operations are on integers of 4 or 8 bytes
#include "case.h"
#include <relink/atomic.h>

static char small;
static int wide;
void f(void) { (void)small, (void)wide; relink_atomic_inc(&MISUSE(small, wide)); }
