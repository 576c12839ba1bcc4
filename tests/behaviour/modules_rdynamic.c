/* test: LABELS soak TIMEOUT 60 LINK -rdynamic */
/* SPDX-License-Identifier: MIT */
/* modules_rdynamic.c - modules.c in a program that exports everything, its copy of the library too. */
#include "modules.c"
