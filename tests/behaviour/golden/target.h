/* SPDX-License-Identifier: MIT */
#ifndef TEST_GOLDEN_TARGET_H
#define TEST_GOLDEN_TARGET_H

struct golden_pair { long a, b; };
int golden_int(int n);
double golden_double(double x, struct golden_pair p);
void golden_void(int *n);
int golden_slow(int n);

#endif
