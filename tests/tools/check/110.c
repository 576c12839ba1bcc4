// expect: 110 share a page with other data
#include "check.h"
static int one(void) { return 1; }
__attribute__((section("relink_pointers"), used)) static int (*pointer)(void) = one;
