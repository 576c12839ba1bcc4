/* SPDX-License-Identifier: MIT */
/* branch.h - the key and the flag that are measured. */
#ifndef BENCH_BRANCH_H
#define BENCH_BRANCH_H

#include <relink/relink.h>

#define BENCH_FACTOR 0x9e3779b97f4a7c15ul /* odd, so that multiplication loses nothing */

RELINK_DECLARE_KEY(bench_key);
extern int bench_flag; /* what people write today */

#endif
