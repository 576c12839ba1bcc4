// expect: 203 a site of kind 9 with 5 bytes
#include "check.h"
FUNCTION(f, "1: .byte 0xa9\n\t.long 0\n\t" PATCH("1b", "0", "5", "9"));
