// SPDX-License-Identifier: MIT
// expect: 414 data holds the address of the accelerated pointer table\+8
#include "marked.h"
void *in_data = &table[1];
