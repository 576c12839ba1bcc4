/* SPDX-License-Identifier: MIT */
/* modules_guest_shared.c - uses librelink.so in a program that knows nothing of relink. */
#include "behaviour/modules/plugin.h"
