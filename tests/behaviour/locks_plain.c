/* SPDX-License-Identifier: MIT */
/* locks_plain.c - so does a dynamic one that was not linked to notice threads. */
#include "locks/plain.h"
