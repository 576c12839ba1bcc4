// expect: 308 would jump to 0x[0-9a-f]*, which is no code
#include "check.h"
RELINK_KEY_FALSE(key, "");
WORD(word, &key);
FUNCTION(f, "1: .byte 0xa9\n\t.long 0x7fffff00\n\t" BRANCH("1b", "word", "0"));
