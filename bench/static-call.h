/* SPDX-License-Identifier: MIT */
/*
 * static-call.h - the static calls that are measured. Both are bound to bench_direct for good, so sites need no alignment.
 * They differ in where their trampoline lies, which matters while it is in use: a jump within a page may cost less.
 */
#ifndef BENCH_STATIC_CALL_H
#define BENCH_STATIC_CALL_H

#include <relink/relink.h>

RELINK_DECLARE_CALL(uint64_t, bench_static, (uint64_t x)); /* defined in the file of its target, as most are: near it */
RELINK_DECLARE_CALL(uint64_t, bench_far, (uint64_t x));    /* in another page than its target */

#endif
