// SPDX-License-Identifier: MIT
// expect: 413 returns the address of the accelerated pointer codec\+8, in where
#include "marked.h"
CASE void *where(void) { return &codec.encode; }
