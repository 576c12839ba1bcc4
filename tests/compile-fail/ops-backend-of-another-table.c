// SPDX-License-Identifier: MIT
// expect: relink: this is not a struct of functions of that table
#include "case.h"

MISUSE(RELINK_BACKEND(fs, wire_net), RELINK_BACKEND(fs, disk_fs));
