/* SPDX-License-Identifier: MIT */
/* sub.c - the library of api.c. */
#include "subject.h"
