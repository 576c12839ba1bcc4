// SPDX-License-Identifier: MIT
// expect: speed
#include "case.h"

MISUSE(RELINK_VARIANT(hash, hash_good, .speed = 1), RELINK_VARIANT(hash, hash_good, .rank = 1));
