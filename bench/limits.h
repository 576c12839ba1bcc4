/* SPDX-License-Identifier: MIT */
/*
 * limits.h - the least that a writer needs to flip all sites: no table, no check, no rollback, known addresses.
 *
 * Each function brings every site into the state `on` and returns 0, or an errno where this machine does not allow it.
 */
#ifndef BENCH_LIMITS_H
#define BENCH_LIMITS_H

int limit_prepare(void);           /* opens the writer and registers the barrier, as a library would have at its start */
int limit_procmem(int on);         /* one pwrite to /proc/self/mem per page */
int limit_procmem_barrier(int on); /* the same and one membarrier at the end */
int limit_rwx(int on);             /* one window that is writable and executable, plain stores */
int limit_alias(int on);           /* plain stores through a second, writable mapping; moves the code into shared memory */

#endif
