// expect: 205 the operands of the sequence 0x[0-9a-f]* can't be read
#include "check.h"
FUNCTION(f, "1: .byte 0xa9\n\t.long 0\n\t" PATCH("1b", "0x7ffffff0", "5", "4"));
