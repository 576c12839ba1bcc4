// SPDX-License-Identifier: MIT
// expect-c: relink: this is not a struct of functions of that table
#include "case.h"

int f(void);
int f(void) { return MISUSE(relink_bind_ops(fs, NULL, NULL), relink_unbind_ops(fs, NULL)); }
