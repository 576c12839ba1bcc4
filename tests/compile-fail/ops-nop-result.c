// SPDX-License-Identifier: MIT
// expect: relink: a member that does nothing must return void
#include "case.h"

const struct net_ops wire_net = { MISUSE(RELINK_OP_NOP(net, size), hash_good) };
