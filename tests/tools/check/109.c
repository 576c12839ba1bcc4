// expect: 109 forgotten: RELINK_POINTER_INFO of a variable that is not marked
// expect: 109 narrow: a variable of 4 bytes is no pointer
#include "check.h"
static int one(void) { return 1; }
static int (*forgotten)(void) = one;
RELINK_POINTER_INFO(forgotten, "its mark is missing");
RELINK_POINTER static int narrow;
RELINK_POINTER_INFO(narrow, "a number");
