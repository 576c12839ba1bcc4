// SPDX-License-Identifier: MIT
// expect: relink: PVOP_CALL names another result than the table
#define PVOP_TABLE fs
#include <relink/pvop.h>
#include "case.h"

void f(void);
void f(void) { MISUSE((void)PVOP_CALL0(int, sync), PVOP_VCALL0(sync)); }
