// test: FLAGS -fPIC -O0
/* SPDX-License-Identifier: MIT */
/* As keys_home.c, not optimised. */
#include "behaviour/keys/keys.h"

KEYS_DEFINE(shared_o0);
KEYS_ROWS(shared_o0);
