// SPDX-License-Identifier: MIT
// expect: relink: the text of a use is a string literal
#include "case.h"

static const char *words = "words";
int f(void) { (void)words; if (relink_here(trace, MISUSE(words, "words"))) return 1; return 0; }
