// SPDX-License-Identifier: MIT
// expect: RELINK_CPU_BIT_avx9000
#include "case.h"

MISUSE(RELINK_VARIANT(hash, hash_good, .needs = RELINK_CPU(sse4_2, avx9000)),
       RELINK_VARIANT(hash, hash_good, .needs = RELINK_CPU(sse4_2, avx2)));
