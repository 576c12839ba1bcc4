// SPDX-License-Identifier: MIT
// expect: relink: a member of an operations table has no variants
#include "case.h"

static inline void sync_good(void) { }
MISUSE(RELINK_VARIANT(fs_sync, sync_good, .rank = 1), RELINK_VARIANT(tick, sync_good, .rank = 1));
