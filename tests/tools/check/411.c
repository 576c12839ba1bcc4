// SPDX-License-Identifier: MIT
// expect: 411 passes the address of the accelerated pointer handler to take, in escape
// expect: 411 passes the address of the accelerated pointer codec\+8 to a function that is not known
#include "marked.h"
CASE void escape(void) { take(&handler); __asm__ volatile(""); }
CASE void unknown(void (*f)(void *)) { f(&codec.encode); __asm__ volatile(""); }
CASE int right(const struct codec *from) { return memcmp(&codec, from, sizeof(codec)) + table[from->decode(1)](2); }
CASE int keys_may(void) { take(&trace); return 0; }
