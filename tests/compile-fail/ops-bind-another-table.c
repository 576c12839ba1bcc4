// SPDX-License-Identifier: MIT
// expect: relink: this is not a struct of functions of that table
#include "case.h"

int f(void);
int f(void) { return MISUSE(relink_bind_ops(fs, &wire_net, NULL), relink_bind_ops(fs, &disk_fs, NULL)); }
