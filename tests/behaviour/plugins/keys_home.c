// test: FLAGS -fPIC -O2
/* SPDX-License-Identifier: MIT */
/* Keys and branches of a shared object that the program is linked with. */
#include "behaviour/keys/keys.h"

KEYS_DEFINE(shared);
KEYS_ROWS(shared);
