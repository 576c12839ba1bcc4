/* SPDX-License-Identifier: MIT */
/* sites.h - the generated sites of a program: BENCH_SITES of them, BENCH_STRIDE bytes apart, see sites.S and call-sites.S. */
#ifndef BENCH_SITES_H
#define BENCH_SITES_H

extern unsigned char bench_sites[];

#define BENCH_PAGE 4096u
#define BENCH_BYTES ((size_t)BENCH_SITES * BENCH_STRIDE)
#define BENCH_OPCODE_OFF 0xa9
#define BENCH_OPCODE_ON 0xe9

/* Runs through all sites of the key; the result is how many did not jump. */
unsigned long bench_count(void);

#endif
