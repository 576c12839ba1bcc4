// SPDX-License-Identifier: MIT
// expect: relink_key_true
// only: c
#include "case.h"
#include <relink/linux.h>

MISUSE(DECLARE_STATIC_KEY_FALSE(key), DECLARE_STATIC_KEY_TRUE(key));
DEFINE_STATIC_KEY_TRUE(key);
