// expect: 301 branch 0x[0-9a-f]* of key: is not where the instruction at 0x[0-9a-f]* has it
#include "check.h"
RELINK_KEY_FALSE(key, "");
WORD(word, &key);
/* mov $..a9,%rax: the constant looks like a branch. */
FUNCTION(f, ".byte 0x48, 0xb8\n1: .byte 0xa9, 0, 0, 0, 0, 0, 0, 0\n\t" BRANCH("1b", "word", "0"));
