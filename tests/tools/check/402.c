// SPDX-License-Identifier: MIT
// expect: 402 reads and writes the accelerated pointer handler, in swap
// expect: 402 reads and writes the key trace
#include "marked.h"
CASE void swap(void) { kept = (void *)__atomic_exchange_n(&handler, one, __ATOMIC_SEQ_CST); }
CASE void count(void) { trace.key.count++; }
