// SPDX-License-Identifier: MIT
// expect: relink: this function does not have the prototype of the static call
#include "case.h"

MISUSE(RELINK_DEFINE_CALL(hash, hash_wrong, "a hash"), RELINK_DEFINE_CALL(hash, hash_good, "a hash"));
