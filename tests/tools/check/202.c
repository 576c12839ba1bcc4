// expect: 202 belongs to no key
#include "check.h"
WORD(word, 0);
FUNCTION(f, "1: .byte 0xa9\n\t.long 0\n\t" BRANCH("1b", "word", "0"));
