// SPDX-License-Identifier: MIT
// expect: relink: a choice needs a documentation string
#include "case.h"

MISUSE(RELINK_DEFINE_CALL(hash, hash_good), RELINK_DEFINE_CALL(hash, hash_good, "a hash"));
