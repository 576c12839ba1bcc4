/* SPDX-License-Identifier: MIT */
/* other.c - uses in another file of the program, of keys that are defined elsewhere and of one that is its own. */
#include "rows.h"

RELINK_STATIC_KEY_FALSE(other_debug, "a key that no other file knows");

USE_FUNCTION(other_open, relink_here(net_debug, "opened by other"))
USE_FUNCTION(other_own, relink_here(other_debug, "own of other"))
USE_FUNCTION(other_home, relink_here(home_debug, "a key of a shared object"))
USE_FUNCTION(other_element, relink_here_at(&elements[1], "an element"))

static const struct use_row rows[] = { USE_ROW(other_open), USE_ROW(other_own), USE_ROW(other_home), USE_ROW(other_element) };
const struct use_rows other_rows = { rows, COUNT(rows) };
