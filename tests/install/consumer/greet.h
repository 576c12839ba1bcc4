/* SPDX-License-Identifier: MIT */
#ifndef GREET_H
#define GREET_H

#include <relink/relink.h>

RELINK_DECLARE_CALL(int, greet, (int n));
RELINK_DECLARE_KEY(loud);

/* Both kinds, calls and branches: every program here has two of each at least, where there are sites. */
int sites_are_found(void);

#endif
