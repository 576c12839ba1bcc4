/* SPDX-License-Identifier: MIT */
#include "keys.h"

KEYS_DEFINE(other);
KEYS_ROWS(other);
