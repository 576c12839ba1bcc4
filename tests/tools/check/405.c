// SPDX-License-Identifier: MIT
// expect: 405 stores to the accelerated pointer handler, through a register, in through
// expect: 405 stores to the accelerated pointer \(somewhere in\) table, through a register
// expect: 405 may be that it stores to the accelerated pointer handler, through a register
#include "marked.h"
CASE void through(int (*f)(int)) { __asm__ volatile("mov %0, (%1)" : : "r"(f), "r"(&handler) : "memory"); }
CASE void indexed(int (*f)(int), long i) { table[i] = f; }
CASE void either(int which, int (*f)(int)) { static int (*mine)(int); int (**p)(int) = which ? &handler : &mine; *p = f; }
