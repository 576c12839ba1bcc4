// SPDX-License-Identifier: MIT
// expect: relink: this is not a struct of functions of that table
#include "case.h"

MISUSE(RELINK_DEFINE_OPS(net, NET_OPS, disk_fs, "network"), RELINK_DEFINE_OPS(net, NET_OPS, wire_net, "network"));
