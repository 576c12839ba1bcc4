/* SPDX-License-Identifier: MIT */
/* home.h - the shared object's file, for several of them. */
#include "behaviour/uses/rows.h"

RELINK_KEY_FALSE(home_debug, "a key of a shared object");
struct home home = { 0, RELINK_KEY_INIT_TRUE };
RELINK_NAME_KEY(home_member, home.member, "home_member", "a key in a struct");

USE_FUNCTION(home_open, relink_here(home_debug, "opened at home"))
USE_FUNCTION(home_likely, relink_here_likely(home_debug, "likely at home"))
USE_FUNCTION(home_member_of, relink_here(home.member, "a member"))

static const struct use_row rows[] = { USE_ROW(home_open), USE_ROW(home_likely), USE_ROW(home_member_of) };
const struct use_rows home_rows = { rows, COUNT(rows) };
