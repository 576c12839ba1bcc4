// test: FLAGS -fPIC
/* SPDX-License-Identifier: MIT */
/* A backend that is loaded late. */
#include "../ops/guest.h"
