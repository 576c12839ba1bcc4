// expect: 305 into the middle of the branch
#include "check.h"
RELINK_KEY_FALSE(key, "");
WORD(word, &key);
FUNCTION(f, ".byte 0xeb, 2\n1: .byte 0xa9\n\t.long 0\n\t" BRANCH("1b", "word", "0"));
