// SPDX-License-Identifier: MIT
// expect: relink: PVOP_VCALL is for members that return nothing; PVOP_CALL names the result
#define PVOP_TABLE fs
#include <relink/pvop.h>
#include "case.h"

void f(void);
void f(void) { MISUSE(PVOP_VCALL1(size, 1), PVOP_VCALL0(sync)); }
