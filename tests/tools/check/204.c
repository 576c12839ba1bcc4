// expect: 204 the arms of the alternative 0x[0-9a-f]* can't be read
#include "check.h"
FUNCTION(f, "1: nop\n\t" PATCH("1b", "0x7ffffff0", "1", "3"));
