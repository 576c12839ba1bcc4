// SPDX-License-Identifier: MIT
// expect: relink: PVOP_CALL names another result than the table
#define PVOP_TABLE fs
#include <relink/pvop.h>
#include "case.h"

int f(void);
int f(void) { return MISUSE((int)PVOP_CALL1(long, size, 1), PVOP_CALL1(int, size, 1)); }
