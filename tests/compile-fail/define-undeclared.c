// SPDX-License-Identifier: MIT
// expect: relink_fn_nosuch
#include "case.h"

MISUSE(RELINK_DEFINE_CALL(nosuch, hash_good, "a hash"), RELINK_DEFINE_CALL(hash, hash_good, "a hash"));
