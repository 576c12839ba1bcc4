// SPDX-License-Identifier: MIT
// expect: relink: a default must be a function; RELINK_DEFINE_CALL_NULL makes a call that does nothing
#include "case.h"

MISUSE(RELINK_DEFINE_CALL(hash, NULL, "a hash"), RELINK_DEFINE_CALL(hash, hash_good, "a hash"));
