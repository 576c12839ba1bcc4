// expect: 301 branch 0x[0-9a-f]* of key: is not where the instruction at 0x[0-9a-f]* has it
// expect: 301 pointer-call 0x[0-9a-f]* of pointer: is not where
#include "check.h"
RELINK_KEY_FALSE(key, "");
WORD(word, &key);
/* mov $..a9,%rax: the constant looks like a branch. */
FUNCTION(f, ".byte 0x48, 0xb8\n1: .byte 0xa9, 0, 0, 0, 0, 0, 0, 0\n\t" BRANCH("1b", "word", "0"));
static int one(void) { return 1; }
RELINK_POINTER static int (*pointer)(void) = one;
FUNCTION(g, ".byte 0x48, 0xb8, 0xff, 0x15\n\t.long pointer - . - 4\n\t.byte 0, 0");
