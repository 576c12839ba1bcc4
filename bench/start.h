/* SPDX-License-Identifier: MIT */
/* start.h - what a program with sites tells about its start. */
#ifndef BENCH_START_H
#define BENCH_START_H

/* Is this run about the start (`PROGRAM start`)? Then prints when constructors began, when main began, and the bytes that the
 * runtime holds for sites. To be called first in main. */
int bench_start(int argc, char **argv);

#endif
