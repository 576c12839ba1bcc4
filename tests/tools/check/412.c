// SPDX-License-Identifier: MIT
// expect: 412 stores the address of the accelerated pointer handler, in keep
#include "marked.h"
CASE void keep(void) { kept = &handler; }
