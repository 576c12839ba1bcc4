// SPDX-License-Identifier: MIT
// expect: speed
#include "case.h"

MISUSE(RELINK_BACKEND(fs, disk_fs, .speed = 1), RELINK_BACKEND(fs, disk_fs, .rank = 1));
