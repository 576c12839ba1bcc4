/* SPDX-License-Identifier: MIT */
/* sites.h - shows the machine code of one site before and after a commit. */
#ifndef SCAN_SITES_H
#define SCAN_SITES_H

#include "inventory.h"

/* Changes the choice, shows a site of it before and after, and takes it back. */
void sites_show(const struct inventory *v, const char *choice);
/* The same of an operations table: a site of each of its members, which end with NULL, before and after `other` is bound. */
void sites_show_table(const struct inventory *v, const char *table, const char *other, const char *const *members);
/* A lock prefix with its instruction, as they are now, and who decided that. */
void sites_show_lock(const char *decided_by);

#endif
