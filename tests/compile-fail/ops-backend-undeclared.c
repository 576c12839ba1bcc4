// SPDX-License-Identifier: MIT
// expect: nosuch
#include "case.h"

MISUSE(RELINK_BACKEND(nosuch, wire_net), RELINK_BACKEND(net, wire_net));
