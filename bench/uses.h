/* SPDX-License-Identifier: MIT */
/* uses.h - a log statement whose key is asked per use. */
#ifndef BENCH_USES_H
#define BENCH_USES_H

#include <relink/relink.h>

RELINK_DECLARE_KEY(uses_debug);
extern unsigned long uses_logged;
void uses_log(const char *format, ...) __attribute__((format(printf, 1, 2)));
#define uses_dbg(...) relink_log_here(uses_debug, uses_log, __VA_ARGS__)

extern const unsigned long uses_count;
void uses_all(int x); /* runs through all of them */

#endif
