/* SPDX-License-Identifier: MIT */
/* Keys and calls of another file. */
#include "linux.h"

SEE(other)
