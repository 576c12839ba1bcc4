/* SPDX-License-Identifier: MIT */
/* rereads.h - reads files again through each backend of `source`, and while backends are exchanged. */
#ifndef SCAN_REREADS_H
#define SCAN_REREADS_H

#include "catalog.h"
#include "inventory.h"
#include "workers.h"

/* Returns how many results differed from those of the first reading; prints one of them. Needs those of phases_run(). */
uint64_t rereads_run(struct catalog *c, struct workers *w, const struct inventory *v, double seconds);

#endif
