/* SPDX-License-Identifier: MIT */
/* busy.h - threads that do nothing but run through the sites, on all CPUs but the first. */
#ifndef BENCH_BUSY_H
#define BENCH_BUSY_H

void busy_start(unsigned threads); /* returns when all of them have run */
void busy_stop(void);
unsigned long busy_progress(void); /* grows while at least one of them runs */

#endif
