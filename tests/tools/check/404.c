// SPDX-License-Identifier: MIT
// expect: 404 writes the accelerated pointer codec, by memcpy, in copy
// expect: 404 writes the accelerated pointer table, by memset
// expect: 404 writes the accelerated pointer table, by a string instruction
#include "marked.h"
CASE void copy(const struct codec *from, size_t size) { memcpy(&codec, from, size); }
CASE void clear(size_t size) { memset(table, 0, size); }
CASE void words(const void *from) { void *to = table; size_t n = 8; __asm__ volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(n) : : "memory"); }
CASE void read_it(void *to, size_t size) { memcpy(to, table, size); }
