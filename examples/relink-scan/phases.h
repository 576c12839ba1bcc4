/* SPDX-License-Identifier: MIT */
/* phases.h - throughput before, during and after live changes, every result checked. */
#ifndef SCAN_PHASES_H
#define SCAN_PHASES_H

#include "catalog.h"
#include "inventory.h"
#include "workers.h"

/* Returns how many results differed from the generic ones; prints one of them. */
uint64_t phases_run(struct catalog *c, struct workers *w, const struct inventory *v, double seconds);

#endif
