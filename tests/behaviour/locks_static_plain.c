/* test: LINK -static NOT address undefined thread */
/* SPDX-License-Identifier: MIT */
/* locks_static_plain.c - a static program without the linker's help stays locked, and says why. */
#include "locks/plain.h"
