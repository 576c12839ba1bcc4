/* SPDX-License-Identifier: MIT */
/* locks.h - shows the lock prefixes of the counters: while the program has one thread, and when it has more. */
#ifndef SCAN_LOCKS_H
#define SCAN_LOCKS_H

#include <stdbool.h>

#include "workers.h"

/* Before any thread was started: also measures what a prefix takes. */
void locks_show_alone(void);
void locks_show_threads(unsigned threads);
/* While the queue is drained. Did all threads together count what each of them has counted for itself? */
bool locks_show_counts(struct workers *w);

#endif
