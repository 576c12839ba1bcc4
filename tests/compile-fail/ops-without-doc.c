// SPDX-License-Identifier: MIT
// expect: relink: a choice needs a documentation string
#include "case.h"

MISUSE(RELINK_DEFINE_OPS(net, NET_OPS, wire_net), RELINK_DEFINE_OPS(net, NET_OPS, wire_net, "network"));
