// expect: 304 shares bytes with the branch
#include "check.h"
RELINK_KEY_FALSE(key, "");
WORD(word, &key);
FUNCTION(f, "1: .byte 0xa9\n\t.long 0\n\t" BRANCH("1b", "word", "0") BRANCH("1b", "word", "0"));
