// SPDX-License-Identifier: MIT
// expect: fs_nosuch
#define PVOP_TABLE fs
#include <relink/pvop.h>
#include "case.h"

void f(void);
void f(void) { MISUSE(PVOP_VCALL0(nosuch), PVOP_VCALL0(sync)); }
