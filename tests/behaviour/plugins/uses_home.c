/* SPDX-License-Identifier: MIT */
/* uses_home.c - keys of a shared object, with uses in there and in the program. */
#include "behaviour/uses/home.h"
