/* test: FLAGS -DHAS_PROGRAM */
/* SPDX-License-Identifier: MIT */
/* modules_shared.c - uses librelink.so. */
#include "behaviour/modules/plugin.h"
