// test: FLAGS -fPIC NOT address undefined thread
/* SPDX-License-Identifier: MIT */
/* Static calls in early code of a shared object. */
#define START_DEFINE
#include "behaviour/calls/start.h"
