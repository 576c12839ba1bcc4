/* test: STATIC FLAGS -DHAS_PROGRAM -fvisibility=hidden LINK -Wl,--exclude-libs,ALL */
/* SPDX-License-Identifier: MIT */
/* modules_static.c - has a copy of the library of its own, whose symbols nobody sees. */
#include "behaviour/modules/plugin.h"
