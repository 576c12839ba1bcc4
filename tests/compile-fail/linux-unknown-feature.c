// SPDX-License-Identifier: MIT
// expect: X86_FEATURE_WARP
// only: c
#include "case.h"
#include <relink/linux.h>

int f(void) { return MISUSE(static_cpu_has(X86_FEATURE_WARP), static_cpu_has(X86_FEATURE_AVX2)); }
