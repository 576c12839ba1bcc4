// SPDX-License-Identifier: MIT
// expect: 421 a relocation refers to a marked variable, in what no symbol says is a function
#include "marked.h"
__asm__(".text\n\t.skip 64, 0x90\n\tmov %rax, handler(%rip)\n\tret");
