/* SPDX-License-Identifier: MIT */
/* ops.h - a table of fifty members, each called from a thousand places. */
#ifndef BENCH_OPS_H
#define BENCH_OPS_H

#include <relink/relink.h>

#define BENCH_MEMBERS 50
#define BENCH_MEMBER_SITES 1000

#define BENCH_OPS_10(op, d) \
	op(void, m##d##0, (void)) op(void, m##d##1, (void)) op(void, m##d##2, (void)) op(void, m##d##3, (void)) op(void, m##d##4, (void)) \
	op(void, m##d##5, (void)) op(void, m##d##6, (void)) op(void, m##d##7, (void)) op(void, m##d##8, (void)) op(void, m##d##9, (void))
#define BENCH_OPS(op) BENCH_OPS_10(op, 0) BENCH_OPS_10(op, 1) BENCH_OPS_10(op, 2) BENCH_OPS_10(op, 3) BENCH_OPS_10(op, 4)
RELINK_DECLARE_OPS(bench, BENCH_OPS);

void bench_call_all(void); /* runs through all sites */

#endif
