// SPDX-License-Identifier: MIT
// expect: relink: this function does not have the prototype of the static call
#include "case.h"

MISUSE(RELINK_VARIANT(hash, hash_wrong, .rank = 1), RELINK_VARIANT(hash, hash_good, .rank = 1));
