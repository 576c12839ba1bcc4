// SPDX-License-Identifier: MIT
// expect: 401 stores to the accelerated pointer handler, in assign
// expect: 401 stores to the accelerated pointer codec\+8
// expect: 401 stores to the key trace
#include "marked.h"
CASE void assign(int (*f)(int)) { handler = f; }
CASE void assign_member(int (*f)(int)) { codec.encode = f; }
CASE void assign_key(void) { trace.key.state = 1; }
CASE int right(void) { return handler(1) + (handler == one) + codec.decode(2) + table[1](3) + relink_pointer_set(handler, one, NULL); }
