// expect: 302 there is no instruction that a branch has
// expect: 302 there is no lock prefix
#include "check.h"
RELINK_KEY_FALSE(key, "");
WORD(word, &key);
FUNCTION(f, "1: .byte 0x0f, 0x1f, 0x44, 0, 0\n\t" BRANCH("1b", "word", "0") "2: incl (%rax)\n\t" PATCH("2b", "0", "1", "1"));
