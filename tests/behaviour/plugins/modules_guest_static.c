/* test: STATIC FLAGS -fvisibility=hidden LINK -Wl,--exclude-libs,ALL */
/* SPDX-License-Identifier: MIT */
/* modules_guest_static.c - has a copy of the library of its own in a program that knows nothing of relink. */
#include "behaviour/modules/plugin.h"
