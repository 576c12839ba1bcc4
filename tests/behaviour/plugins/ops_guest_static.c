// test: STATIC FLAGS -fPIC LINK -Wl,--exclude-libs,ALL
/* SPDX-License-Identifier: MIT */
/* The same with a copy of the library of its own, which its markers come from. */
#include "../ops/guest.h"
