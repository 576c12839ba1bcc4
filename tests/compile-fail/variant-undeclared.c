// SPDX-License-Identifier: MIT
// expect: relink_fn_nosuch
#include "case.h"

MISUSE(RELINK_VARIANT(nosuch, hash_good, .rank = 1), RELINK_VARIANT(hash, hash_good, .rank = 1));
