// SPDX-License-Identifier: MIT
// expect: relink: this function does not have the prototype of the static call
// only: c
#include "case.h"
#include <relink/linux.h>

DECLARE_STATIC_CALL(name, hash_good);

void f(void) { static_call_update(name, MISUSE(hash_wrong, hash_good)); }
