// SPDX-License-Identifier: MIT
// expect: 403 stores a vector to the accelerated pointer codec, in both
// expect: 403 stores a vector to the accelerated pointer table\+16
#include "marked.h"
CASE void both(const long long *two) { __asm__ volatile("movdqu %1, %%xmm0\n\tmovups %%xmm0, %0" : "=m"(codec) : "m"(*(const char(*)[16])two) : "xmm0"); }
CASE void two(void) { __asm__ volatile("vmovdqu %%ymm1, %0" : "=m"(*(char(*)[32])&table[2])); }
