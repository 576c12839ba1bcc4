// SPDX-License-Identifier: MIT
// expect: relink: a choice needs a documentation string
#include "case.h"

RELINK_POINTER int (*handler)(int x) = hash_good;
MISUSE(RELINK_POINTER_INFO(handler), RELINK_POINTER_INFO(handler, "a pointer"));
