// SPDX-License-Identifier: MIT
// expect: relink: this is not a struct of functions of that table
#include "case.h"

void f(struct relink_commit *c);
void f(struct relink_commit *c) { MISUSE(relink_set_ops(c, net, &disk_fs), relink_set_ops(c, net, &wire_net)); }
